# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What text/template's, sprig's and Helm's functions do with where their arguments come from.

Each function takes a walker (its reads, item(), field(), below(), written, context) and the arguments, and returns
what the result may hold.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils import _template_reads as reads
from ansible_collections.llm_d.orchestrator.plugins.module_utils._template_values import (
    ITEM,
    Held,
    copy,
    opaque,
    union,
)

Function = t.Callable[[t.Any, list[Held]], Held]
FUNCTIONS: dict[str, Function] = {}
MAX_TEXTS = 16


def _function(*names: str) -> t.Callable[[Function], Function]:
    def register(function: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(names, function))
        return function

    return register


def _words(text: str) -> list[str]:
    return text.split()


@_function("default")
def _default(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 2:
        walker.reads.use_all(args[1], reads.DEFAULT, args[0].consts)
    return union(*args)


@_function("coalesce")
def _coalesce(_walker: t.Any, args: list[Held]) -> Held:
    return union(*args)


@_function("and", "or")
def _and_or(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.CONDITION)
    return union(*args)


@_function("ternary")
def _ternary(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 3:
        walker.reads.use_all(args[2], reads.CONDITION)
    return union(*args[:2])


@_function("required")
def _required(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 2:
        walker.reads.use_all(args[1], reads.REQUIRED, args[0].exact())
    return args[-1] if args else opaque()


@_function(*_words("not empty len all any"))
def _condition(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.CONDITION)
    return opaque()


@_function(*_words("eq ne lt le gt ge deepEqual"))
def _compare(walker: t.Any, args: list[Held]) -> Held:
    constants = [constant for arg in args for constant in arg.consts if constant is not None]
    for arg in args:
        walker.reads.use_all(arg, reads.COMPARE, constants)
    return opaque()


@_function(*_words("kindIs typeIs typeIsLike kindOf typeOf"))
def _type(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.TYPE)
    return opaque()


@_function(
    *_words(
        "int int64 float64 atoi toDecimal add add1 sub div mod mul max min biggest addf add1f subf divf mulf maxf minf "
        "floor ceil round until untilStep seq randInt duration durationRound ago date dateInZone dateModify date_modify "
        "date_in_zone htmlDate htmlDateInZone mustDateModify must_date_modify mustToDate toDate unixEpoch now"
    )
)
def _number(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.NUMBER)
    return opaque()


@_function(
    *_words(
        "sha1sum sha256sum sha512sum adler32sum bcrypt htpasswd derivePassword encryptAES decryptAES genPrivateKey "
        "genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey "
        "buildCustomCert contains hasPrefix hasSuffix regexMatch mustRegexMatch semver semverCompare fail lookup env "
        "expandenv getHostByName uuidv4 randAlphaNum randAlpha randNumeric randAscii randBytes shuffle isAbs urlParse "
        "regexFind mustRegexFind regexFindAll mustRegexFindAll regexSplit mustRegexSplit split splitList splitn "
        "b64dec b32dec initials ext"
    )
)
def _drop(walker: t.Any, args: list[Held]) -> Held:
    """Look at texts, or make something of them that cannot be told apart; what was serialised is not passed on."""
    for arg in args:
        walker.reads.use_all(arg, reads.TEXT)
    return opaque()


@_function("indent", "nindent", "trim")
def _same_document(walker: t.Any, args: list[Held]) -> Held:
    return _text(walker, args, mixed=False)


@_function(
    *_words(
        "quote squote cat upper lower title untitle repeat substr nospace trunc abbrev abbrevboth trimAll trimSuffix "
        "trimPrefix trimall replace plural snakecase camelcase kebabcase swapcase wrap wrapWith println toString html "
        "js urlquery urlJoin b64enc b32enc regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral "
        "mustRegexReplaceAllLiteral regexQuoteMeta base dir clean osBase osDir osExt osClean osIsAbs call"
    )
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


@_function("print", "printf")
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


@_function("join", "toStrings", "sortAlpha", "has", "mustHas")
def _of_list(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.TEXT)
        for path in arg.refs:
            walker.reads.use(path, reads.RANGE)
            walker.reads.use((*path, ITEM), reads.TEXT)
        for entry in arg.entries():
            walker.reads.use_all(entry, reads.TEXT)
    return opaque()


@_function(*_words("toYaml toYamlPretty mustToYaml toJson toPrettyJson toRawJson mustToJson mustToPrettyJson toToml"))
def _serialised(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.READ)
    return Held(yaml=union(*args), opaque=True)


@_function(*_words("fromYaml fromJson fromYamlArray fromJsonArray mustFromJson fromToml"))
def _parsed(walker: t.Any, args: list[Held]) -> Held:
    text = args[-1] if args else opaque()
    walker.reads.use_all(text, reads.TEXT)
    if text.yaml is None:
        return opaque()
    if text.mixed:  # part of a larger document: which part is not known
        walker.reads.dump(text.yaml)
        return opaque()
    return union(text.yaml, opaque()) if text.refs else text.yaml


@_function("list", "tuple")
def _list(_walker: t.Any, args: list[Held]) -> Held:
    return Held(keys=dict(enumerate(args)))


@_function("dict")
def _dict(walker: t.Any, args: list[Held]) -> Held:
    made = Held(keys={})
    for name, held in zip(args[::2], args[1::2], strict=False):
        _put(walker, made, name, held)
    return made


@_function("set")
def _set(walker: t.Any, args: list[Held]) -> Held:
    if len(args) != 3:
        return opaque()
    target, name, held = args
    held = copy(held) if held is target else held
    names = name.exact() or [ITEM]
    for path, key in itertools.product(() if target.fresh else target.refs, names):
        place = (*path, key)
        walker.written[place] = union(walker.written.get(place), held)
        if not name.exact():
            walker.reads.use(path, reads.DYNAMIC)
    for root, key in itertools.product(target.roots, names):
        walker.context[(root, key)] = union(walker.context.get((root, key)), held)
    _put(walker, target, name, held)
    return target


def _put(walker: t.Any, target: Held, name: Held, held: Held) -> None:
    walker.reads.use_all(name, reads.TEXT)
    target.keys = {} if target.keys is None else target.keys
    for key in name.exact():
        target.keys[key] = union(target.keys.get(key), held)
    if not name.exact():
        target.rest = union(target.rest, held)


@_function("unset")
def _unset(_walker: t.Any, args: list[Held]) -> Held:
    return args[0] if args else opaque()


@_function("omit", "deepCopy", "mustDeepCopy")
def _same(walker: t.Any, args: list[Held]) -> Held:
    for arg in args[1:]:
        walker.reads.use_all(arg, reads.TEXT)
    made = copy(args[0]) if args else opaque()
    made.fresh = True
    return made


@_function(*_words("merge mergeOverwrite mustMerge mustMergeOverwrite concat mustConcat"))
def _merge(walker: t.Any, args: list[Held]) -> Held:
    merged = union(*args)
    target = args[0] if args else merged
    refs = target.refs
    if target.keys is not None and merged is not target:  # the first is changed in place
        made = copy(merged)
        target.keys, target.rest = made.keys, made.rest
        target.refs |= merged.refs
        target.opaque |= merged.opaque
    for path in () if target.fresh else refs:
        others = merged.refs - {path}
        if others or merged.keys:
            walker.merged_into(path, Held(others, keys=merged.keys))
    return merged


@_function("append", "mustAppend", "push", "mustPush", "prepend", "mustPrepend")
def _append(_walker: t.Any, args: list[Held]) -> Held:
    if len(args) != 2:
        return opaque()
    return union(args[0], Held(rest=args[1]))


@_function(*_words("uniq mustUniq compact mustCompact reverse mustReverse rest mustRest initial mustInitial slice chunk"))
def _shorter(_walker: t.Any, args: list[Held]) -> Held:
    if not args:
        return opaque()
    entries = union(*args[0].entries())
    return Held(args[0].refs, rest=None if entries.empty() else entries, opaque=args[0].opaque)


@_function("without", "mustWithout")
def _without(walker: t.Any, args: list[Held]) -> Held:
    for arg in args[1:]:
        walker.reads.use_all(arg, reads.TEXT)
    return _shorter(walker, args[:1])


@_function("first", "mustFirst", "last", "mustLast")
def _item(walker: t.Any, args: list[Held]) -> Held:
    if not args:
        return opaque()
    walker.reads.use_all(args[0], reads.RANGE)
    return walker.item(args[0])


@_function("values")
def _values(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.RANGE_MAP)
    return Held(rest=union(*(walker.item(arg) for arg in args)))


@_function("keys")
def _keys(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.RANGE_MAP)
        walker.item(arg)
    names = [name for arg in args for name in arg.keys or {} if isinstance(name, str)]
    exact = all(arg.keys is not None and arg.rest is None and not arg.refs and not arg.opaque for arg in args)
    return Held(rest=Held(consts=names) if exact and names else opaque())


@_function("index")
def _index(walker: t.Any, args: list[Held]) -> Held:
    held = args[0] if args else opaque()
    for name in args[1:]:
        held = _entry(walker, held, name)
    return held


@_function("get")
def _get(walker: t.Any, args: list[Held]) -> Held:
    return _entry(walker, args[0], args[1]) if len(args) == 2 else opaque()


@_function("hasKey")
def _has_key(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 2:
        walker.reads.use_all(_entry(walker, args[0], args[1]), reads.CONDITION)
    return opaque()


@_function("dig")
def _dig(walker: t.Any, args: list[Held]) -> Held:
    if len(args) < 3:
        return opaque()
    held = args[-1]
    for name in args[:-2]:
        held = _entry(walker, held, name)
    walker.reads.use_all(held, reads.DEFAULT, args[-2].consts)
    return union(held, args[-2])


@_function("pluck")
def _pluck(walker: t.Any, args: list[Held]) -> Held:
    return Held(rest=union(*(_entry(walker, arg, args[0]) for arg in args[1:]), opaque()))


@_function("pick")
def _pick(walker: t.Any, args: list[Held]) -> Held:
    if not args or not all(name.exact() for name in args[1:]):
        return args[0] if args else opaque()
    names = [key for name in args[1:] for key in name.exact()]
    return Held(keys={name: _entry(walker, args[0], Held(consts=[name])) for name in names})


def _entry(walker: t.Any, held: Held, name: Held) -> Held:
    """Return the entry under a key or place, any entry where the key is not known."""
    walker.reads.use_all(name, reads.TEXT)
    keys = name.exact()
    if keys:
        return union(*(walker.field(held, key) for key in keys))
    numbers = name.numbers()
    if numbers and not name.refs and not name.opaque:
        own = [(held.keys or {}).get(number) for number in numbers] + [held.rest]
        listed = Held(held.refs, files=held.files)
        walker.reads.use_all(listed, reads.RANGE)
        return union(*own, walker.item(listed) if held.refs or held.files else None, Held(opaque=held.opaque))
    walker.reads.use_all(held, reads.DYNAMIC)
    return walker.item(held)
