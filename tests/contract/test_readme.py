"""Every line of the README is one that works."""

import re
from pathlib import Path

import httpx
import pytest

from app.cli import commands
from app.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESSES = re.findall(r"curl 'http://127\.0\.0\.1:8000(/[^']+)'", README)


def test_there_are_six_questions() -> None:
    assert len(ADDRESSES) == 6


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_question_has_its_answer(client: httpx.AsyncClient, address: str) -> None:
    response = await client.get(address)
    if "Congo" in address:
        assert response.status_code == 422
        assert response.json()["detail"] in README
        return
    assert response.status_code == 200
    assert response.json().get("items", response.json().get("events"))


async def test_the_answers_are_as_told(client: httpx.AsyncClient) -> None:
    answers = [(await client.get(address)).json() for address in ADDRESSES]
    assert [(e["id"], e["date"]) for e in answers[0]["items"]] == [
        ("kz-taliban-delisting-2023", "2023-12~")
    ]
    years = [event["date"][:4] for event in answers[1]["items"]]
    assert (len(years), years[0], years[-1]) == (4, "2021", "2024")
    assert [e["verification"] for e in answers[1]["items"]].count("disputed") == 1
    assert answers[2]["total"] == 12
    positions = {item["actor"]: item for item in answers[3]["items"]}
    assert {actor: item["state"] for actor, item in positions.items()} == {
        "KG": "delisted",
        "KZ": "delisted",
        "RU": "listed",
        "US": None,
    }
    assert positions["RU"]["pending"] == ["ru-shoigu-intends-delist-2024"]
    assert answers[4]["stage"] == "in_effect"


def test_every_command_and_setting_is_listed() -> None:
    for command in commands.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        assert f"`chancery {name}" in README
    for setting in Settings.model_fields:
        assert f"`CHANCERY_{setting.upper()}`" in README


def test_every_file_it_points_to_is_there() -> None:
    for place in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / place).exists(), place


def test_every_make_target_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make ([a-z-]+)", README):
        assert f"\n{target}:" in makefile, target
