"""The help and the page about the command: their examples run, and they say what the command does."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from topes import cli
from topes.cli._schema import COMMON, KEYS

ROOT = Path(__file__).parents[2]
DATA, PAGE = ROOT / "examples" / "data", ROOT / "docs" / "command_line.md"
COMMANDS = ("train", *sorted(set(cli.cli.commands) - {"train"}))  # the others' examples judge what train writes


def run(arguments, capsys):
    """Exit code and output of one line of a shell; `> FILE` is understood."""
    words = shlex.split(arguments, comments=True)
    to = words[words.index(">") + 1] if ">" in words else None
    try:
        cli.main(words[1 : words.index(">") if to else None])
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    shown = capsys.readouterr()
    assert code == 0, (arguments, shown.err)
    assert shown.err == ""
    if to is None:
        return shown.out
    Path(to).write_text(shown.out)
    return ""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Copies of the example data, where the command runs."""
    if not PAGE.exists():
        pytest.skip("examples and docs are not part of the package")
    for path in DATA.glob("*.csv"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def help_of(capsys, *command):
    cli.main([*command, "--help"])
    return capsys.readouterr().out


def examples_in(text):
    return [line.strip() for line in text.splitlines() if line.startswith("    topes ")]


def test_examples_of_every_help_run(folder, capsys):
    for command in COMMANDS:
        shown = help_of(capsys, command)
        found = examples_in(shown)
        assert found, f"{command} has no example"
        assert all(line.split()[1] == command for line in found)
        for line in found:
            run(line, capsys)
    assert {"network.json", "proof.npz", "patterns.npy", "cells.png", "angles.pdf", "fit.png", "path.svg"} <= {
        p.name for p in folder.iterdir()
    }


def console_blocks():
    """Pairs of a command and the output that the page shows under it."""
    if not PAGE.exists():
        return []
    pairs = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, output = part.partition("\n")
            pairs.append((line, output))
    return pairs


def words_of(text):
    """Output without its numbers, which times and machines change."""
    units = r"\b(hours|minutes|days|years|ms|s)\b"
    return [re.sub(units, "", re.sub(r"\d[\d.,]*(e[+-]?\d+)?", "", line)).split() for line in text.splitlines()]


def test_examples_of_the_page_run_and_print_what_it_shows(folder, capsys):
    pairs = console_blocks()
    assert {line.split()[1] for line, _ in pairs} == set(cli.cli.commands)
    for line, shown in pairs:
        assert words_of(run(line, capsys)) == words_of(shown), line


def test_the_page_has_every_command_key_and_exit_code():
    if not PAGE.exists():
        pytest.skip("docs are not part of the package")
    page = PAGE.read_text()
    assert all(f"| `{key}` | {what} |" in page for keys in (COMMON, *KEYS.values()) for key, what in keys.items())
    assert all(f"**{command}**" in page for command in KEYS)
    assert all(f"`topes {command} " in page for command in cli.cli.commands)
    assert all(f"\n| {code} | " in page for code in (0, 1, 2, 130))


def test_the_help_names_forms_and_exit_codes(capsys):
    shown = help_of(capsys)
    assert all(re.search(rf"^    {code} +\w", shown, re.MULTILINE) for code in (0, 1, 2, 130))
    assert all(form in shown for form in (".npy", ".npz", ".parquet", "array X", "array y"))
    assert all(re.search(rf"^  {name} ", shown, re.MULTILINE) for name in cli.cli.commands)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(capsys, shell):
    script = run(f"topes completion {shell}", capsys)
    assert "_TOPES_COMPLETE" in script
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=script, text=True, capture_output=True, check=False, timeout=60)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "cword", "expected"),
    [("topes st", 1, "stationarity"), ("topes train data.csv --cert", 3, "--certificate"), ("topes plot z", 2, "zonotope")],
)
def test_what_bash_is_told(words, cword, expected):
    """What the script runs when TAB is pressed."""
    environment = {"_TOPES_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(cword)}
    program = f"import os; os.environ.update({environment!r}); from topes.cli import main; main()"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert found.stderr == ""
    assert found.stdout.split() == [f"plain,{expected}"]
