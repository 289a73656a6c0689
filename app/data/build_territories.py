# ruff: noqa: RUF001 -- Some of the names are Russian or Chinese.
"""Make app/data/territories.json from CLDR, ISO 3166 and our own overlay.

Run it as `python -m app.data.build_territories`; with `--check` it writes nothing and exits with 1
where the shipped file differs. CLDR comes through Babel, ISO 3166-1, -2 and -3 through pycountry:
neither is needed to run the service.

The builder's business is that no name leads to the wrong place. It stops where two territories
would share a name that the overlay doesn't list as ambiguous, where a name of the overlay equals
somebody else's code, and where a refused name has got in. "Territory" takes no position on
anybody's status: see the overlay.
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pycountry
from babel import Locale, UnknownLocaleError
from babel.core import get_cldr_version
from babel.languages import get_official_languages

from app.data.settle_names import ConflictError, Draft, Row, key_of, settle_names

HERE = Path(__file__).parent
SHIPPED = HERE / "territories.json"
OVERLAY = HERE / "territories_overlay.toml"
UN_MEMBERS = 193
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def build() -> str:
    """Return the text of territories.json."""
    overlay = tomllib.loads(OVERLAY.read_text(encoding="utf-8"))
    drafts = [*_present(overlay), *_extra(overlay), *_former(overlay), *_blocs(overlay)]
    _offer_cldr_names(drafts, overlay)
    _check_codes(drafts)
    settle_names(drafts, overlay)
    return _render(drafts, overlay)


def _present(overlay: Row) -> Iterator[Draft]:
    for country in sorted(pycountry.countries, key=lambda each: str(each.alpha_2)):
        code = country.alpha_2
        row = {
            "code": code,
            "name": overlay["name"].get(code) or _english()[code],
            "kind": "other" if code in overlay["other"] else "state",
            "alpha2": code,
            "alpha3": country.alpha_3,
            "numeric": country.numeric,
            "official_name": _official_name(country, overlay),
        }
        yield Draft(row, overlay["aliases"].get(code, []), list(_iso_names(country)))


def _official_name(country: Any, overlay: Row) -> str | None:
    ours = overlay["official_name"].get(country.alpha_2)
    name = ours if ours is not None else getattr(country, "official_name", None)
    return name or None


def _iso_names(country: Any) -> Iterator[str]:
    for attribute in ("name", "official_name", "common_name"):
        name = getattr(country, attribute, None)
        if name:
            yield name
            yield from _turned_round(name)


def _turned_round(name: str) -> Iterator[str]:
    """Turn "Iran, Islamic Republic of" into the order in which it is spoken."""
    main, comma, rest = name.partition(", ")
    if comma and rest.endswith((" of", " of the")):
        yield f"{rest} {main}"


def _extra(overlay: Row) -> Iterator[Draft]:
    for entry in overlay["extra"]:
        code = entry["code"]
        _check_part(code)
        row = {
            "code": code,
            "name": entry.get("name") or _english()[code],
            "kind": entry.get("kind", "other"),
            "alpha2": entry.get("alpha2"),
            "alpha3": entry.get("alpha3"),
            "official_name": overlay["official_name"].get(code),
        }
        yield Draft(row, entry.get("aliases", []) + overlay["aliases"].get(code, []))


# The codes that the service made up itself, in the form of ISO 3166-2.
_OWN_PARTS = {"SO-SL", "CY-N"}


def _check_part(code: str) -> None:
    subdivisions: Any = pycountry.subdivisions
    own = code in _OWN_PARTS or code.startswith("X")
    if own == bool(subdivisions.get(code=code)):
        raise ConflictError(f"{code}: either ISO 3166-2 has it, or it is one of our own.")


def _former(overlay: Row) -> Iterator[Draft]:
    entries = {entry["code"]: entry for entry in overlay["former"]}
    withdrawn = {each.alpha_4: each for each in pycountry.historic_countries}
    if missing := withdrawn.keys() - entries:
        raise ConflictError(f"ISO 3166-3 has {sorted(missing)}, which the overlay doesn't name.")
    for code, entry in sorted(entries.items()):
        codes = _withdrawn_codes(withdrawn.get(code), withdrawn.values(), entry["kind"])
        keys = ("name", "kind", "official_name", "successors", "since", "until")
        row = {"code": code} | {key: entry.get(key) for key in keys} | codes
        offered = [withdrawn[code].name] if code in withdrawn else []
        yield Draft(row, entry.get("aliases", []), offered)


def _withdrawn_codes(one: Any, every: Iterable[Any], kind: str) -> dict[str, str]:
    """Return the short codes of a former state that nobody else holds or has held."""
    if one is None or kind != "former_state":
        return {}
    everybody = [*pycountry.countries, *every]
    return {
        ours: code
        for ours, theirs in (("alpha2", "alpha_2"), ("alpha3", "alpha_3"))
        for code in [getattr(one, theirs)]
        if sum(getattr(each, theirs) == code for each in everybody) == 1
    }


def _blocs(overlay: Row) -> Iterator[Draft]:
    for entry in sorted(overlay["bloc"], key=lambda each: str(each["code"])):
        row = {key: entry.get(key) for key in ("code", "name", "official_name")}
        row |= {"kind": "bloc", "members": _members(entry["members"], overlay)}
        yield Draft(row, entry.get("aliases", []))


def _members(listed: list[str] | str, overlay: Row) -> list[str]:
    if listed != "un":
        return list(listed)
    outside = {*overlay["other"], *overlay["outside_un"]}
    members = sorted({each.alpha_2 for each in pycountry.countries} - outside)
    if len(members) != UN_MEMBERS:
        raise ConflictError(f"The United Nations have {UN_MEMBERS} members, not {len(members)}.")
    return members


def _english() -> Mapping[str, str]:
    return _names_in("en")


def _names_in(locale: str) -> Mapping[str, str]:
    return Locale.parse(locale).territories


def _offer_cldr_names(drafts: list[Draft], overlay: Row) -> None:
    for draft in drafts:
        names = (_names_in(locale).get(draft.code) for locale in overlay["locales"])
        draft.offered += [name for name in names if name]
        draft.offered += _native_names(draft.code)
        draft.offered += _written_out(draft.code)
        if draft.code in overlay["split_parentheses"]:
            draft.offered += [part for name in draft.offered for part in _parts(name)]
    dropped = {key_of(name) for name in overlay["dropped"]}
    for draft in drafts:
        draft.offered = [name for name in draft.offered if key_of(name) not in dropped]


def _written_out(code: str) -> Iterator[str]:
    """Write out what German typists and Russian editors shorten."""
    german, russian = (_names_in(locale).get(code, "") for locale in ("de", "ru"))
    names = german.translate(_UMLAUTS), russian.replace("о-ва", "острова")
    return (name for name in names if name not in {german, russian})


def _native_names(code: str) -> Iterator[str]:
    for language in get_official_languages(code, de_facto=True):
        try:
            name = _names_in(language).get(code)
        except UnknownLocaleError:
            continue
        if name:
            yield name


def _parts(name: str) -> list[str]:
    parts = name.replace("（", "(").replace("）", ")").rstrip(") ").split("(")
    return [part.strip() for part in parts] if len(parts) > 1 else []


def _check_codes(drafts: list[Draft]) -> None:
    owners: dict[str, str] = {}
    for draft in drafts:
        for code in dict.fromkeys(draft.codes):
            if code in owners:
                raise ConflictError(f"{code} would stand for {owners[code]} and {draft.code}.")
            owners[code] = draft.code
    for draft in drafts:
        listed = [*draft.row.get("members", ()), *(draft.row.get("successors") or ())]
        if unknown := set(listed) - owners.keys():
            raise ConflictError(f"{draft.code} names {sorted(unknown)}, which are no territories.")


def _render(drafts: list[Draft], overlay: Row) -> str:
    """Write one territory a line, so that a change of one is a change of one line."""
    sources = {
        "cldr": str(get_cldr_version()),
        "babel": version("babel"),
        "pycountry": version("pycountry"),
    }
    rows = ",\n".join(_line({k: v for k, v in draft.row.items() if v}) for draft in drafts)
    refused = _line(sorted(overlay["refused"]))
    told = f'"sources": {_line(sources)},\n"refused": {refused},\n"hints": {_line(_hints(overlay))}'
    return f'{{{told},\n"territories": [\n{rows}\n]}}\n'


def _hints(overlay: Row) -> dict[str, list[str]]:
    hints = overlay["hint"]
    return {name: hint["codes"] for hint in hints for name in sorted(hint["names"])}


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(arguments: list[str]) -> int:
    """Write the file, or with --check compare it; return the exit status."""
    text = build()
    if "--check" not in arguments:
        SHIPPED.write_text(text, encoding="utf-8")
        return 0
    same = SHIPPED.exists() and SHIPPED.read_text(encoding="utf-8") == text
    if not same:
        sys.stderr.write(f"{SHIPPED.name} is out of date: run python -m {__spec__.name}\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
