"""Whether a vote is whose it says, what it weighs, and who may be one behind several wallets."""
