# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a program's log says, statement by statement: levels of all loggers, tracebacks and what led to them."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import typing as t

from .evidence import clean

FATAL, ERROR, WARNING, INFO, PLAIN = "fatal", "error", "warning", "info", ""
# A statement is at most so many lines of a log, and so many characters.
LINES, WHOLE = 12, 1600
# What a line says after so many characters is dumped data.
LONG = 1500

_LEVELS = {
    **dict.fromkeys(("F", "FATAL", "CRITICAL", "PANIC", "DPANIC", "EMERG", "ALERT", "CRIT"), FATAL),
    **dict.fromkeys(("E", "ERROR", "ERR"), ERROR),
    **dict.fromkeys(("W", "WARN", "WARNING"), WARNING),
}
_WORD = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|FATAL"
# Who says it: a process of vLLM or Ray, a rank of torchrun. One blank is theirs, more are the line's own.
_SOURCE = re.compile(
    r"\([^()\s]+(?: [^()\s]+)*? (?:pid|rank)=\d+[^)]*\) ?|\[rank\d+\]: ?|\[\d+,\d+\]<std(?:err|out)>: ?"
)
_DATE = (
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?:(?: [A-Z]+\d+)*\])?"
    r"|\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\]"
)
_LEVELLED = (
    # vLLM: ERROR 11-02 02:14:12 [core.py:708] text
    re.compile(rf"(?P<level>{_WORD}) \d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:\[[^\]]*\]|[\w.]+:\d+\]) ?"),
    # klog and Triton: E1102 02:14:12.000000       1 main.go:61] text; PyTorch: [E1102 02:14:12.1 socket.cpp:1] text
    re.compile(r"\[?(?P<level>[IWEF])\d{3,4} \d\d:\d\d:\d\d(?:\.\d+)?\s+(?:\d+\s+)?[\w./-]+:\d+\] ?"),
    # Envoy: [2025-11-02 08:30:41.123][1][critical][main] [source/x.cc:1] text
    re.compile(rf"(?:{_DATE})(?:\[\d+\])?\[(?P<level>\w+)\](?:\[\w+\])?(?: \[[^\]]*\])? ?"),
    # NGINX: 2025/11/02 08:30:41 [emerg] 1#1: text
    re.compile(rf"(?:(?:{_DATE})|nginx:) \[(?P<level>\w+)\](?: \d+#\d+:)? ?"),
    # UCX: [1761900000.1] [host:77:0]  ib_md.c:295  UCX  ERROR text
    re.compile(r"\[\d+\.\d+\] \[[^\]]+\]\s+\S+\s+(?=UCX\s+(?P<level>\w+)\s)"),
    re.compile(r"\[TensorRT-LLM\]\[(?P<level>\w+)\] ?"),
    re.compile(r"(?:\[[^\]]*\] )?\[TRT-LLM\] \[(?P<level>[IWEF])\] ?"),
    # zap, Rust's tracing, Python's logging: a date, some names, the level
    re.compile(rf"(?:{_DATE})(?:[ \t|:-]+(?:\[?[\w.:/-]+\]?)){{0,3}}?[ \t|:-]+\[?(?P<level>{_WORD})\b\]?[ \t:|-]*"),
    # Uvicorn: ERROR:    text
    re.compile(rf"(?P<level>{_WORD})\b[:\s]\s*"),
)
# The container runtime's own, where the log was read with times.
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (?:std(?:out|err) [FP] )?")
_DATED = re.compile(rf"(?:{_DATE})\s?")
_NCCL = re.compile(r"(?:\S+:\d+:\d+ \[\d+\] )?(?:\S+:\d+ )?(?=NCCL (?P<level>WARN|INFO|TRACE)\b)")

_TRACEBACK = "Traceback (most recent call last):"
# A frame says as much as the head, which may be before the first line that was read; groups of exceptions are trees.
_FRAME = re.compile(r'\s*File "[^"]+", line \d+')
_TREE = re.compile(r"\s+(?:\| ?|\+-\+?-* ?)")
_CHAINED = re.compile(r"During handling of the above exception|The above exception was the direct cause")
_EXCEPTION = re.compile(r"(?:[A-Za-z_]\w*\.)*(?:[A-Z]\w*|\w*error)(?::|$)")
_BARE = re.compile(r"(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Exit|Interrupt|error)(?::|$)")
_PANIC = re.compile(
    r"panic: |fatal error: |thread '[^']*'(?: \(\d+\))? panicked at|terminate called |\s*what\(\): |"
    r"Fatal Python error: "
)
# What says nothing of the cause, whoever says it.
_NOISE = re.compile(
    r"\W*$|Process [\w-]+-\d+:$|\s*warnings\.warn\(|usage: |"
    r"goroutine \d+|\[signal |created by |[\w./*()\[\]-]{1,200}\((?:0x|\{0x|\.\.\.|\)$)|\s+\S+\.(?:go|rs|s):\d+|"
    r"note: run with `RUST_BACKTRACE|\s+at .*:\d+|#\d+ 0x|frame #\d+|Exception raised from|"
    r"CUDA kernel errors might be|For debugging consider passing CUDA|Compile with `TORCH_USE_CUDA|"
    r".*(?:resource_tracker: There appear|destroy_process_group\(\) was not called|group has NOT been destroyed|"
    r"error received after stop sequence|\"?error\"?[:=] ?\"?context canceled|kill_process_tree|py-spy|"
    r"Stopping and waiting for|crash dump already performed)"
)
# What only says that another process or an earlier line knows the reason.
_POINTER = re.compile(
    r"see (?:the )?(?:root cause|stack ?trace|the above)|Engine core initialization failed|Engine(?:Core|DeadError)\b.*"
    r"(?:failed|fatal|encountered|dead|died)|(?:failed|exception) in a background process|died unexpectedly|"
    r"Received sigquit|SIGQUIT received|child (?:process )?failed|ShardCannotStart|Shard \d+ failed|"
    r"returned non-zero exit status|Failed core proc|ChildFailedError|failed to load all models|"
    r"(?:BrokenPipe|ConnectionReset|Cancelled|EOF|ConnectionAborted)Error|KeyboardInterrupt|SystemExit|^Killed$|"
    r"timed out waiting for cache to be synced|Application startup failed|cancelled|context deadline exceeded$|"
    r"^Aborted|terminate called after|Worker proc \S+ died|shutting down|standard error output|leader election lost|"
    r"DataLoader worker .* exited|Error when initializing model$|Error executing method",
    re.IGNORECASE,
)  # fmt: skip
# Tracebacks that a program survives.
_SURVIVED = re.compile(r"Exception ignored in|Exception in thread .*usage|--- Logging error ---")


@dataclasses.dataclass
class Utterance:
    """What is said at once. shown: as the log has it; text: without who and when, of several lines in one; chain: the
    exceptions that led to this one, the nearest first; thrown: an exception or a panic, which ends a program."""

    level: str
    shown: str
    text: str
    source: str = ""
    thrown: bool = False
    chain: tuple[str, ...] = ()
    size: int = 1

    @property
    def pointer(self) -> bool:
        """Return whether it only says that the reason is told elsewhere."""
        return bool(_POINTER.search(self.text))

    @property
    def grave(self) -> bool:
        """Return whether it may be why a program ended."""
        return self.thrown or self.level in (FATAL, ERROR)

    def add(self, text: str) -> None:
        """Take a further line."""
        if text.strip() and self.size < LINES:
            self.shown = f"{self.shown} {text.strip()}"
            self.text = f"{self.text} {text.strip()}"
            self.size += 1


@dataclasses.dataclass
class _Reader:
    """What is known of one source of a log: the traceback it is in, and the exceptions before."""

    tracing: bool = False
    survived: bool = False
    level: str = PLAIN
    code: str = ""
    chain: tuple[str, ...] = ()
    chained: bool = False
    head: str = ""
    open: Utterance | None = None


@functools.lru_cache(maxsize=64)
def statements(lines: tuple[str, ...]) -> tuple[Utterance, ...]:
    """Return what a log's lines say, in order, without frames of stacks."""
    found: list[Utterance] = []
    readers: dict[str, _Reader] = {}
    for line in lines:
        # JSON cut off is none.
        source, head, level, text = parts(line if line.startswith("{") else line[:LONG])
        reader = readers.setdefault(source, _Reader())
        statement = _next(reader, source, head, level, text[:LONG], line)
        if statement is not None:
            found.append(statement)
    return tuple(found)


def parts(line: str) -> tuple[str, str, str, str]:
    """Return (source, head, level, text) of a line: who says it, what its logger puts before the text, the text."""
    rest, source = _STAMP.sub("", line.rstrip()), ""
    if rest.lstrip().startswith("{") and rest.endswith("}"):
        level, text = _of_json(rest)
        if text:
            return "", "json", level, text
    while found := _SOURCE.match(rest):
        source += found[0].strip()
        rest = rest[found.end() :]
    for pattern in (_NCCL, *_LEVELLED):
        if found := pattern.match(rest):
            word = found["level"]
            level = _LEVELS.get(word.upper(), INFO)
            # NCCL calls its errors warnings.
            level = ERROR if pattern is _NCCL and word == "WARN" else level
            return source, found[0], level, _plain(rest[found.end() :])
    found = _DATED.match(rest)
    head = found[0] if found else ""
    return source, head, PLAIN, _plain(rest[len(head) :])


def _of_json(line: str) -> tuple[str, str]:
    """Return (level, text) of a line of zap or another logger that writes JSON, ("", "") for what is none."""
    try:
        entry = json.loads(line)
    except ValueError:
        return PLAIN, ""
    word = str(entry.get("level") or entry.get("levelname") or entry.get("severity") or "error")
    said = [str(entry[key]) for key in ("msg", "message", "error", "err") if entry.get(key)]
    # A traceback in a field: its last line.
    said += [str(entry[key]).strip().rpartition("\n")[2] for key in ("exc_info", "exception") if entry.get(key)]
    more = [f"{key}={entry[key]}" for key in ("kind", "name", "plugin", "path") if isinstance(entry.get(key), str)]
    return _LEVELS.get(word.upper(), INFO), " ".join(" ".join([": ".join(said), *more]).split()) if said else ""


def _plain(text: str) -> str:
    """Return a text without the escapes that loggers put into quoted values, and without a tree before it."""
    return (_TREE.sub("", text, count=1) if _TREE.match(text) else text).replace('\\"', '"').replace("\\n", " ")


def _next(reader: _Reader, source: str, head: str, level: str, text: str, line: str) -> Utterance | None:
    """Return the statement that begins with a line, None where it belongs to one before or says nothing."""
    if _SURVIVED.search(text):
        reader.survived, reader.open = True, None
        return None
    if _TRACEBACK in text or (not reader.tracing and _FRAME.match(text)):
        reader.chain = reader.chain if reader.chained else ()
        reader.tracing, reader.chained, reader.code, reader.open = True, False, "", None
        reader.level = level
        return None
    if _CHAINED.search(text):
        last = reader.open
        reader.chain = (last.text, *last.chain) if last else reader.chain
        reader.chained, reader.open = True, None
        return None
    if reader.tracing and not _ends_trace(reader, text):
        reader.code = text.strip() if text.strip() and "^" not in text else reader.code
        return None
    if reader.tracing or (_BARE.match(text) and level in (PLAIN, ERROR, FATAL)):
        return _thrown(reader, source, head, level, text, line)
    opened = reader.open
    if opened is not None and _continues(reader, head, level, text):
        opened.add(text)
        return None
    if _NOISE.match(text):
        return None
    panic = bool(_PANIC.match(text))
    statement = Utterance(FATAL if panic else level, _shown(line, head, text), text.strip(), source, thrown=panic)
    reader.open, reader.head = statement, head
    return statement


def _ends_trace(reader: _Reader, text: str) -> bool:
    """Return whether a line is a traceback's exception."""
    return bool(text) and not text[0].isspace() and not text.startswith('File "') and bool(_EXCEPTION.match(text))


def _thrown(reader: _Reader, source: str, head: str, level: str, text: str, line: str) -> Utterance | None:
    """Return the exception with which a traceback ends."""
    bare = text.strip() == "AssertionError" and reader.code.startswith("assert")
    told = f"{text}: {reader.code}" if bare else text
    level = reader.level or level or ERROR
    statement = Utterance(level, _shown(line, head, told), told.strip(), source, True, reader.chain)
    survived = reader.survived or statement.level == WARNING
    reader.tracing, reader.survived, reader.level, reader.chain = False, False, PLAIN, ()
    reader.open, reader.head = (None if survived else statement), head
    return None if survived else statement


def _continues(reader: _Reader, head: str, level: str, text: str) -> bool:
    """Return whether a line goes on with the statement before: of the same logger's line, or of none at all."""
    opened = reader.open
    if opened is None or _NOISE.match(text) or _PANIC.match(text):
        return bool(opened and not text.strip())
    if opened.thrown:
        # A message of several lines: of plain ones, or each with the logger's head again.
        return head == reader.head if head else level == PLAIN and not reader.head or head == reader.head
    indented = text[:1].isspace() or text.startswith("Caused by:")
    return opened.level in (FATAL, ERROR) and not head and indented


def _shown(line: str, head: str, text: str) -> str:
    """Return a line as evidence: whole, but a JSON line without its stack, and with what was added to the text."""
    if head == "json":
        return text if len(line) > WHOLE else line.strip()
    return line.strip() if text in _plain(line) else text


def decisive(lines: t.Sequence[str], most: int = 20) -> list[str]:
    """Return the last lines that may say why a program ended, each once; without any, the last that say something."""
    said = statements(tuple(lines))
    grave = [one for one in said if one.grave and not one.pointer]
    chosen = grave or [one for one in said if one.level in (WARNING, PLAIN)] or list(said)
    once = {_alike(one.text): clean(one.shown, WHOLE) for one in chosen if one.text}
    return list(once.values())[-most:]


def _alike(text: str) -> str:
    """Return a text without what differs each time that it is said: numbers and addresses."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", text)
