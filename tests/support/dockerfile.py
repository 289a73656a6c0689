"""The Dockerfile as its instructions: as much of the syntax as ours uses."""

import json
from dataclasses import dataclass

from tests.support.service import ROOT


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, and the stage that it belongs to: by its number, from 0."""

    stage: int
    name: str
    argument: str

    def words(self) -> list[str]:
        """Return the exec form's words, such as those of CMD."""
        words: list[str] = json.loads(self.argument[self.argument.index("[") :])
        return words


def instructions() -> list[Instruction]:
    """Return the instructions of the Dockerfile."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    kept = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    found: list[Instruction] = []
    stage = -1
    for line in filter(str.strip, kept.replace("\\\n", "").splitlines()):
        name, _, argument = line.partition(" ")
        stage += name == "FROM"
        found.append(Instruction(stage, name, argument.strip()))
    return found


def last_stage() -> dict[str, Instruction]:
    """Return the last stage's instructions by name; of several, the last one."""
    found = instructions()
    return {one.name: one for one in found if one.stage == found[-1].stage}
