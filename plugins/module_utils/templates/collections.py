# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What sprig's functions of maps and lists do with where their arguments come from; see functions.py."""

from __future__ import annotations

import itertools
import typing as t

from . import reads
from .functions import FUNCTIONS, function
from .origins import ITEM, Held, copy, opaque, union

# Read with what this file adds to them.
__all__ = ["FUNCTIONS"]


@function("list tuple")
def _list(_walker: t.Any, args: list[Held]) -> Held:
    return Held(keys=dict(enumerate(args)))


@function("splitList")
def _split_list(walker: t.Any, args: list[Held]) -> Held:
    """Return the parts of a constant, as for a path in dots that a helper is called with."""
    separators, texts = (args[0].exact(), args[1].exact()) if len(args) == 2 else ([], [])
    if not separators or not texts or not separators[0]:
        return FUNCTIONS["split"](walker, args)
    return Held(rest=Held(consts=[part for text in texts for part in text.split(separators[0])]))


@function("dict")
def _dict(walker: t.Any, args: list[Held]) -> Held:
    made = Held(keys={})
    for name, held in zip(args[::2], args[1::2], strict=False):
        _put(walker, made, name, held)
    return made


@function("set")
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
    target.weigh()


@function("unset")
def _unset(_walker: t.Any, args: list[Held]) -> Held:
    return args[0] if args else opaque()


@function("omit deepCopy mustDeepCopy")
def _same(walker: t.Any, args: list[Held]) -> Held:
    walker.reads.use_each(args[1:], reads.TEXT)
    made = copy(args[0]) if args else opaque()
    made.fresh = True
    return made


@function("merge mergeOverwrite mustMerge mustMergeOverwrite concat mustConcat")
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


@function("append mustAppend push mustPush prepend mustPrepend")
def _append(_walker: t.Any, args: list[Held]) -> Held:
    if len(args) != 2:
        return opaque()
    return union(args[0], Held(rest=args[1]))


@function("uniq mustUniq compact mustCompact reverse mustReverse rest mustRest initial mustInitial slice chunk")
def _shorter(_walker: t.Any, args: list[Held]) -> Held:
    if not args:
        return opaque()
    entries = union(*args[0].entries())
    return Held(args[0].refs, rest=None if entries.empty() else entries, opaque=args[0].opaque)


@function("without mustWithout")
def _without(walker: t.Any, args: list[Held]) -> Held:
    walker.reads.use_each(args[1:], reads.TEXT)
    return _shorter(walker, args[:1])


@function("first mustFirst last mustLast")
def _item(walker: t.Any, args: list[Held]) -> Held:
    if not args:
        return opaque()
    walker.reads.use_all(args[0], reads.RANGE)
    return walker.item(args[0])


@function("values")
def _values(walker: t.Any, args: list[Held]) -> Held:
    walker.reads.use_each(args, reads.RANGE_MAP)
    return Held(rest=union(*(walker.item(arg) for arg in args)))


@function("keys")
def _keys(walker: t.Any, args: list[Held]) -> Held:
    for arg in args:
        walker.reads.use_all(arg, reads.RANGE_MAP)
        walker.item(arg)
    names = [name for arg in args for name in arg.keys or {} if isinstance(name, str)]
    exact = all(arg.keys is not None and arg.rest is None and not arg.refs and not arg.opaque for arg in args)
    return Held(rest=Held(consts=names) if exact and names else opaque())


@function("index")
def _index(walker: t.Any, args: list[Held]) -> Held:
    held = args[0] if args else opaque()
    for name in args[1:]:
        held = _entry(walker, held, name)
    return held


@function("get")
def _get(walker: t.Any, args: list[Held]) -> Held:
    return _entry(walker, args[0], args[1]) if len(args) == 2 else opaque()


@function("hasKey")
def _has_key(walker: t.Any, args: list[Held]) -> Held:
    if len(args) == 2:
        walker.reads.use_all(_entry(walker, args[0], args[1]), reads.CONDITION)
    return opaque()


@function("dig")
def _dig(walker: t.Any, args: list[Held]) -> Held:
    if len(args) < 3:
        return opaque()
    held = args[-1]
    for name in args[:-2]:
        held = _entry(walker, held, name)
    walker.reads.use_all(held, reads.DEFAULT, args[-2].consts)
    return union(held, args[-2])


@function("pluck")
def _pluck(walker: t.Any, args: list[Held]) -> Held:
    return Held(rest=union(*(_entry(walker, arg, args[0]) for arg in args[1:]), opaque()))


@function("pick")
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
