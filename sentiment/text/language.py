"""Whether a text may be read as English, by its most common words."""

import re

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# Words that are frequent in one language and rare in the others. What English shares with one of
# them ("die", "no", "me") decides nothing and stands in no list.
_ENGLISH = """
the and of to is it this that with for was are not but you they have has i my your so what would
its it's i'm don't isn't very really just like love more than these those from by as if when how who
which been be do does did will can could all too much good bad
"""
# German, French, Spanish, Italian, Portuguese, Dutch
_OTHERS = """
der das und ist nicht ein eine ich sie wir mit auf für von dem den sehr aber auch sind wie
le les et est pas un une je vous nous avec pour des du très mais sont c'est cette ce
el los las y es una yo con para por del muy pero son esta este está qué como
il gli che di è sono per molto questo questa anche
o os uma é não com muito mas são isso você
het een en niet ik wij met voor heel maar zijn dit
"""
ENGLISH = frozenset(_ENGLISH.split())
OTHERS = frozenset(_OTHERS.split())


def words(text: str) -> list[str]:
    return WORD.findall(plain(text))


def plain(text: str) -> str:
    """Lower case, typewriter apostrophes."""
    return text.lower().replace("\u2019", "'")


def may_be_english(text: str) -> bool:
    """Whether nothing speaks against English.

    Most letters have to be Latin ones, and words that are common in German, French, Spanish,
    Italian, Portuguese or Dutch must not outnumber English ones. A text without words, such as an
    emoji, is nobody's.
    """
    letters = [letter for letter in text if letter.isalpha()]
    if sum(letter < "\u0250" for letter in letters) * 2 < len(letters):
        return False
    found = words(text)
    return sum(word in OTHERS for word in found) <= sum(word in ENGLISH for word in found)
