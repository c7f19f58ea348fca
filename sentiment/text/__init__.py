"""Comments as sentiment in [-1, 1], and how much a sentiment counts beside a vote.

Sarcasm is not understood by any scorer here, and nothing but English is: see ``language``.
"""
