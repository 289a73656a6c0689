"""Full text: texts as words, and what people type as a question about words.

Texts are folded as names are (names.py) and split into words here rather than by PostgreSQL, whose
parser goes by the server's locale. So every server finds the same, in every script, and a word is
found however its accents, its case or its Arabic letters are typed. There are no stop words and no
stems: what is asked for is what is found.

PostgreSQL keeps the words (tsvector), finds and ranks them (tsquery). Who takes part in an event is
one of its words, written so that no text can hold it; what the parties are called is looked up when
a question is asked, because a party may get another alias without the event becoming another.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from app.domain.event import EventFacts
from app.domain.names import EAST_ASIAN, fold
from app.domain.territories import territories

# PostgreSQL's limits (tsearch/ts_type.h): 2,046 bytes a word, 16,383 positions and 256 of them for
# one word, 1 MiB in all. What lies beyond a position is still found as a word, but in no phrase.
_LONGEST_WORD = 500
_LAST_POSITION = 16_383
_MOST_BYTES = 500_000
# Not written with spaces, so that each character is a word, and a word of several is a phrase.
_EAST_ASIAN = re.compile(f"([{EAST_ASIAN}])")
_TERM = re.compile(r'(-*)(?:"([^"]*)"?|([^\s"]+))')
# What telephones and word processors make of quotation marks.
_QUOTATION_MARKS = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))  # noqa: RUF001 - They are meant.

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand in a row somewhere, or that must not."""

    phrase: Phrase
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class TextQuery:
    """What is looked for: any of these combinations of terms, each with all of its terms."""

    combinations: tuple[tuple[Term, ...], ...]

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """The phrases in it, each once."""
        terms = (term for combination in self.combinations for term in combination)
        return tuple(dict.fromkeys(term.phrase for term in terms))

    def tsquery(self, parties: Mapping[Phrase, Collection[str]]) -> str:
        """Return the question in PostgreSQL's words; a term is met by text or by a participant.

        Args:
            parties: for each phrase, who is called so.

        """
        return " | ".join(
            " & ".join(_either(term, sorted(parties[term.phrase])) for term in combination)
            for combination in self.combinations
        )


def _either(term: Term, parties: Sequence[str]) -> str:
    choices = " | ".join([phrase_query(term.phrase), *map(_participant, parties)])
    return f"{'' if term.wanted else '!'}({choices})"


def phrase_query(phrase: Phrase) -> str:
    """Return the tsquery for words in a row."""
    return " <-> ".join(f"'{word}'" for word in phrase)


def _participant(party: str) -> str:
    # Folding leaves no equals sign in any word.
    return f"'={party}'"


def words_of(text: str) -> list[str]:
    """Return the words of a text in its order."""
    folded = fold(text)
    if not folded.isascii():
        folded = _EAST_ASIAN.sub(r" \1 ", folded)
    return [word[:_LONGEST_WORD] for word in folded.split()]


def parse(text: str) -> TextQuery:
    """Return what a text asks for: as search engines on the web and `websearch_to_tsquery` read it.

    Words must all occur, `"words in quotes"` in a row; `or` stands between alternatives and `-`
    before what must not occur. Whatever else there is has no meaning, and nothing is an error; a
    text without words gives a question without combinations.
    """
    combinations: list[list[Term]] = [[]]
    found = [match.groups() for match in _TERM.finditer(text.translate(_QUOTATION_MARKS))]
    operand_before = False
    for place, (minus, quoted, bare) in enumerate(found):
        if operand_before and _is_or(minus, bare) and place + 1 < len(found):
            combinations.append([])
            operand_before = False
            continue
        phrase = tuple(words_of(bare if quoted is None else quoted))
        operand_before = True
        if phrase:
            combinations[-1].append(Term(phrase, wanted=len(minus) % 2 == 0))
    return TextQuery(tuple(tuple(each) for each in combinations if each))


def _is_or(minus: str, bare: str | None) -> bool:
    return not minus and bare is not None and bare.lower() == "or"


def event_words(facts: EventFacts) -> str:
    """Return the tsvector of an event: its own words, and who takes part in it.

    The weights make a title count most in the order of relevance, then who takes part, then the
    summary, then the sources.
    """
    return _tsvector(_texts(facts), (participant.party for participant in facts.participants))


def _texts(facts: EventFacts) -> Iterator[tuple[str | None, str]]:
    yield facts.title, "A"
    for participant in facts.participants:
        yield participant.organ, "B"
        yield participant.person, "B"
    yield facts.place, "C"
    yield facts.summary, "C"
    for source in facts.sources:
        yield source.quote, "D"
        yield source.title, "D"
        yield source.publisher, "D"


def name_words(names: Iterable[str]) -> str:
    """Return the tsvector of everything that a party is called."""
    return _tsvector((name, "D") for name in names)


def _tsvector(texts: Iterable[tuple[str | None, str]], parties: Iterable[str] = ()) -> str:
    places: dict[str, list[str]] = {}
    position = size = 0
    for text, weight in texts:
        # No phrase begins in one text and ends in another.
        position += 1
        for word in words_of(text or ""):
            position += 1
            size += len(word.encode()) if word not in places else 0
            if size < _MOST_BYTES:
                at = places.setdefault(word, [])
                at.append(f"{min(position, _LAST_POSITION)}{weight}")
    for party in dict.fromkeys(parties):
        position += 2
        places[f"={party}"] = [f"{min(position, _LAST_POSITION)}B"]
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())


def territories_called(phrase: Phrase) -> set[str]:
    """Return the territories of which a name holds these words in a row."""
    first, *_ = phrase
    looked_for = f" {' '.join(phrase)} "
    return {code for code, name in _territory_names().get(first, ()) if looked_for in name}


@cache
def _territory_names() -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return, by each word, the territories' names that hold it."""
    names: dict[str, list[tuple[str, str]]] = {}
    for territory in territories().values():
        for name in territory.names:
            words = words_of(name)
            for word in dict.fromkeys(words):
                names.setdefault(word, []).append((territory.code, f" {' '.join(words)} "))
    return names
