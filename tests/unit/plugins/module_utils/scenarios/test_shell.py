# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Shell text of settings: read, never run."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.scenarios.shell import Shell
from hypothesis import given, settings
from hypothesis import strategies as st


def read(text: str, **before: str) -> Shell:
    shell = Shell(before)
    shell.read(text)
    return shell


KNOWN = [
    ("plain", "A=b", "b"),
    ("export, comment", "export A=b # c", "b"),
    ("hash inside", "A=b#c", "b#c"),
    ("several", "export B=1 A=2; C=3", "2"),
    ("double", 'A="b c"', "b c"),
    ("single", "A='b $c \\'", "b $c \\"),
    ("joined", "A=b'c d'\"e\"", "bc de"),
    ("escape", r"A=b\ c\$d", "b c$d"),
    ("escape in quotes", r'A="b\$c\"d\e"', r'b$c"d\e'),
    ("ansi", r"A=$'b\tc\x41\'\n'", "b\tcA'\n"),
    ("continued", "A=b\\\nc", "bc"),
    ("newline in quotes", 'A="b\nc"', "b\nc"),
    ("variable", "B=x; A=$B-${B}y", "x-xy"),
    ("unset", "A=x$NONE", "x"),
    ("default", "A=${NONE:-d}", "d"),
    ("default of empty", "B=; A=${B:-d}${B-e}", "d"),
    ("default, nested", "A=${N:-${M:-$O}x}", "ox"),
    ("default with quotes", 'A=${N:-"b c"}', "b c"),
    ("assigning default", ": ${B:=d}; A=$B", "d"),
    ("alternative", "B=1; A=${B:+x}${N:+y}", "x"),
    ("suffix", "B=a.b.sh; A=${B%.sh}", "a.b"),
    ("suffixes", "B=a.b.sh; A=${B%%.*}", "a"),
    ("prefix", "B=a/b/c; A=${B#*/}", "b/c"),
    ("prefixes", "B=a/b/c; A=${B##*/}", "c"),
    ("home stays", "A=~/data", "~/data"),
    ("append", "A=b; A+=c", "bc"),
    ("later wins", "A=b\nA=c", "c"),
    ("dollar alone", "A=a$", "a$"),
    ("carriage return", "A=b\r\n", "b"),
    ("braces stay", "A={a,b}", "{a,b}"),
    ("glob stays", "A=*.sh", "*.sh"),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_values_are_those_that_bash_would_set(text: str, expected: str, tmp_path: pathlib.Path) -> None:
    shell = read(text, O="o")
    assert shell.variables["A"].text == expected
    assert shell.statements == []
    done = subprocess.run(
        ["bash", "--norc", "-c", text.replace("\r", "") + '\nprintf %s "$A"'],
        env={"O": "o", "HOME": "~", "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == expected


UNKNOWN = [
    ("command", "A=$(date)", "A", "$(date)", 1),
    ("command in quotes", '\nA="x$(date +%s)"', "A", "$(date +%s)", 2),
    ("backticks", "A=`id`", "A", "`id`", 1),
    ("directory", "A=$(mktemp -d)", "A", "$(mktemp -d)", 1),
    ("arithmetic", "A=$((1 + 2))", "A", "$((1 + 2))", 1),
    ("what follows", "B=$(id)\nA=x$B", "A", "$", 2),
    ("if", "if [ -n x ]; then\n  export A=1\nelse\n  A=2\nfi", "A", "if", 1),
    ("case", "case $X in\n a) A=1;;\n b) A=2;;\nesac", "A", "case", 1),
    ("loop", "for x in 1 2; do A=$x; done", "A", "for", 1),
    ("function", "f() {\n A=1\n}", "A", "{", 1),
    ("and", "[[ -z $B ]] && export A=1", "A", "&&", 1),
    ("pipe", "A=1 | cat", "A", "|", 1),
    ("subshell", "(A=1)", "A", "( )", 1),
    ("array", "A=(1 2)", "A", "( )", 1),
    ("indirection", "A=${!B}", "A", "${!B}", 1),
    ("substitution", "B=x; A=${B/x/y}", "A", "${B/x/y}", 1),
]


@pytest.mark.parametrize(
    ("text", "name", "what", "line"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN]
)
def test_what_only_running_could_tell_is_reported_and_not_guessed(text: str, name: str, what: str, line: int) -> None:
    shell = read("A=before\n" + text)
    assert shell.variables[name].text is None
    found = [item for item in shell.statements if name in item.variables]
    assert [(item.what, item.line) for item in found] == [(what, line + 1)]


def test_what_follows_a_compound_statement_is_read() -> None:
    shell = read("if a; then\n case b in c) D=1;; esac\nfi\nE=2\nf() { G=1; }\nH=3\n")
    assert (shell.variables["E"].text, shell.variables["H"].text) == ("2", "3")
    assert shell.variables["D"].text is None
    assert shell.variables["G"].text is None


FILES = [
    ("unquoted", "cat << EOF > $F\na $B \\$B ${N:-d} \\\nc\nEOF\n", "a b $B d c\n"),
    ("quoted", "cat << 'EOF' > ${F}\na $B \\\nEOF\n", "a $B \\\n"),
    ("target first", 'cat > $F <<"EOF"\n$B\nEOF\n', "$B\n"),
    ("tabs", "cat <<-EOF > $F\n\t\ta\n\tEOF\n", "a\n"),
    ("appended", "cat <<E > $F\na\nE\ncat <<E >> $F\nb\nE\n", "a\nb\n"),
    ("another file", "G=$(mktemp)\ncat <<E > $G\na\nE\ncat $G $G > $F\n", "a\na\n"),
    ("echo", "echo a  'b  c' >> $F\n", "a b  c\n"),
    ("delimiter inside", "cat <<E > $F\nE \nxE\nE\n", "E \nxE\n"),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_files_hold_what_the_text_writes_to_them(text: str, expected: str) -> None:
    shell = read("B=b\nF=$(mktemp)\n" + text + "AFTER=1\n")
    assert shell.files[shell.variables["F"].text or ""].text == expected
    assert shell.variables["AFTER"].text == "1"
    assert shell.statements == []


def test_a_files_command_substitution_is_named_with_the_variable_that_it_affects() -> None:
    shell = read("F=$(mktemp)\ncat << EOF > $F\n$(hostname)\nEOF\n")
    assert shell.files[shell.variables["F"].text or ""].text is None
    assert [(item.line, item.what, item.variables) for item in shell.statements] == [(2, "$(hostname)", ["F"])]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('A=b\nB="c\nD=e\n', 2),
        ("A='b", 1),
        ("A=b\nB=`c\n", 2),
        ("A=${B:-c\n", 1),
        ("A=b\ncat << EOF > f\nx\n", 2),
    ],
)
def test_what_is_not_closed_is_named_with_its_line(text: str, line: int) -> None:
    assert [one.line for one in read(text).statements if "not closed" in one.why] == [line]
    closed = "A='b' B=\"c\" C=${D:-e}\ncat << EOF > f\nx\nEOF\n"
    assert not [one for one in read(closed).statements if "not closed" in one.why]


def test_sourcing_and_commands_are_reported() -> None:
    shell = read("source ./x.sh\n. y\nrm -rf /\nset -e\n")
    assert [(item.line, item.what) for item in shell.statements] == [(1, "source"), (2, "."), (3, "rm")]


@pytest.mark.parametrize(
    "text",
    ["A=x\n" + "A=$A$A\n" * 60, "A=" + "x" * 100_000 + "\n" + "".join(f"B{i}=y$A\n" for i in range(1000))],
    ids=["doubled", "copied"],
)
def test_expansion_is_bounded(text: str) -> None:
    with pytest.raises(OrchestratorError, match="expands to more than"):
        read(text)


@pytest.mark.parametrize(
    "piece",
    [
        *('export A="x $B ${C:-d}" # c\n', "$(", "${a:-", "A=1 ", "<<a\n", "if x\n", "(", '"', "`"),
        *("cat <<E >$F\nx\nE\n", "A=$(mktemp)\n"),
    ],
)
def test_the_time_grows_with_the_size_and_no_faster(piece: str) -> None:
    def spent(size: int) -> float:
        # In processor time, since tests share the machine.
        begin = time.process_time()
        with contextlib.suppress(OrchestratorError):
            read(piece * (size // len(piece)))
        return time.process_time() - begin

    assert spent(600_000) < 6 * spent(200_000) + 0.5


PIECES = st.sampled_from(
    [
        *"$(){}'\"`\\\n<>&|; =#%:-A",
        "export ",
        "$(touch made)",
        "`touch made`",
        "cat <<E",
        "E\n",
        "${A:-",
        "if ",
        "fi",
        "$'",
        "case ",
    ]
)


@settings(max_examples=300, deadline=1000)
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=60).map("".join))
def test_any_text_is_read_without_a_crash_and_without_running(text: str) -> None:
    before = set(os.listdir("."))
    shell = Shell({})
    shell.read(text)
    assert all(item.line >= 1 for item in shell.statements)
    assert set(os.listdir(".")) == before


@settings(max_examples=100, deadline=1000)
@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=80))
def test_a_quoted_text_comes_back_as_it_is(text: str) -> None:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    assert read(f"export A={quoted}\nB=1").variables["A"].text == text
