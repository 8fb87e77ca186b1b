# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the template functions of texts, numbers and truth (text/template, sprig, Helm) do with their arguments' origin.

Each function takes a walker (walk.Walker) and the arguments, and returns what the result may hold. Those of
maps and lists stand in collections.py.
"""

from __future__ import annotations

import itertools
import typing as t

from . import reads
from .origins import ITEM, Held, opaque, union

Function = t.Callable[[t.Any, list[Held]], Held]
FUNCTIONS: dict[str, Function] = {}
MAX_TEXTS = 16


def function(names: str) -> t.Callable[[Function], Function]:
    """Register what stands below as the meaning of some template functions."""

    def register(function: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(names.split(), function))
        return function

    return register


def looking(use: str, names: str) -> None:
    """Register template functions that make something of their arguments in which these cannot be told apart."""

    @function(names)
    def look(walker: t.Any, args: list[Held]) -> Held:
        walker.reads.use_each(args, use)
        return opaque()


@function("default")
def _default(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 2:
        walker.reads.use_all(args[1], reads.DEFAULT, args[0].consts)
    return union(*args)


@function("coalesce")
def _coalesce(_walker: t.Any, args: list[Held]) -> Held:
    return union(*args)


@function("and or")
def _and_or(walker: t.Any, args: list[Held]) -> Held:
    walker.reads.use_each(args, reads.CONDITION)
    return union(*args)


@function("ternary")
def _ternary(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 3:
        walker.reads.use_all(args[2], reads.CONDITION)
    return union(*args[:2])


@function("required")
def _required(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 2:
        walker.reads.use_all(args[1], reads.REQUIRED)
    return args[-1] if args else opaque()


looking(reads.CONDITION, "not empty len all any")


looking(reads.COMPARE, "eq ne lt le gt ge deepEqual")


looking(reads.TYPE, "kindIs typeIs typeIsLike kindOf typeOf")


looking(
    reads.NUMBER,
    "int int64 float64 atoi toDecimal add add1 sub div mod mul max min biggest addf add1f subf divf mulf maxf minf "
    "floor ceil round until untilStep seq randInt duration durationRound ago date dateInZone dateModify "
    "date_modify date_in_zone htmlDate htmlDateInZone mustDateModify must_date_modify mustToDate toDate now",
)


# What was serialised is not passed on.
looking(
    reads.TEXT,
    "sha1sum sha256sum sha512sum adler32sum bcrypt htpasswd derivePassword encryptAES decryptAES genPrivateKey "
    "genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey "
    "buildCustomCert contains hasPrefix hasSuffix regexMatch mustRegexMatch semver semverCompare fail lookup env "
    "expandenv getHostByName uuidv4 randAlphaNum randAlpha randNumeric randAscii randBytes isAbs urlParse",
)


@function("indent nindent trim")
def _same_document(walker: t.Any, args: list[Held]) -> Held:
    return _text(walker, args, mixed=False)


@function(
    "quote squote cat upper lower title untitle repeat substr nospace trunc abbrev abbrevboth trimAll trimSuffix "
    "trimPrefix trimall replace plural snakecase camelcase kebabcase swapcase wrap wrapWith println toString html "
    "js urlquery urlJoin b64enc b32enc regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral "
    "mustRegexReplaceAllLiteral regexQuoteMeta base dir clean osBase osDir osExt osClean osIsAbs "
    "regexFind mustRegexFind b64dec b32dec initials ext shuffle call"
)
def _of_text(walker: t.Any, args: list[Held]) -> Held:
    return _text(walker, args, mixed=True)


def _text(walker: t.Any, args: list[Held], mixed: bool) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.TEXT)
        for entry in arg.entries():
            walker.reads.dump(entry)
    yaml = union(*(arg.yaml for arg in args))
    whole = mixed or any(arg.mixed for arg in args)
    return Held(yaml=None if yaml.empty() else yaml, mixed=whole, opaque=True)


@function("print printf")
def _printed(walker: t.Any, args: list[Held]) -> Held:
    made = _text(walker, args, mixed=True)
    choices = [arg.exact() or arg.numbers() if not (arg.opaque or arg.refs or arg.roots) else [] for arg in args]
    if args and all(choices) and len(list(itertools.islice(itertools.product(*choices), MAX_TEXTS + 1))) <= MAX_TEXTS:
        return Held(consts=[_format([str(part) for part in parts]) for parts in itertools.product(*choices)])
    return made


def _format(parts: list[str]) -> str:
    if not any(verb in parts[0] for verb in ("%s", "%d", "%v")):
        return "".join(parts)
    text = parts[0]
    for part in parts[1:]:
        place = min((text.find(verb) for verb in ("%s", "%d", "%v") if verb in text), default=-1)
        text = text[:place] + part + text[place + 2 :] if place >= 0 else text
    return text


@function("join toStrings sortAlpha has mustHas")
def _of_list(walker: t.Any, args: list[Held]) -> Held:
    entries = [entry for arg in args for entry in arg.entries()]
    for arg in args:
        for path in arg.refs:
            walker.reads.use(path, reads.RANGE)
            walker.reads.use((*path, ITEM), reads.TEXT)
    return _text(walker, [*args, *entries], mixed=True)


@function("split splitn regexSplit mustRegexSplit regexFindAll mustRegexFindAll")
def _parts(walker: t.Any, args: list[Held]) -> Held:
    part = _text(walker, args, mixed=True)
    return Held(rest=part, yaml=part.yaml, mixed=True, opaque=True)


@function("toYaml toYamlPretty mustToYaml toJson toPrettyJson toRawJson mustToJson mustToPrettyJson toToml")
def _serialised(walker: t.Any, args: list[Held]) -> Held:
    walker.reads.use_each(args, reads.READ)
    return Held(yaml=union(*args), opaque=True)


@function("fromYaml fromJson fromYamlArray fromJsonArray mustFromJson fromToml")
def _parsed(walker: t.Any, args: list[Held]) -> Held:
    text = args[-1] if args else opaque()
    walker.reads.use_all(text, reads.TEXT)
    if text.yaml is None:
        return opaque()
    if text.mixed:  # part of a larger document: which part is not known
        walker.reads.dump(text.yaml)
        return opaque()
    return union(text.yaml, opaque()) if text.refs else text.yaml
