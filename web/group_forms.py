"""A group as people type it: its settings, and its members as rows that buttons move without a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.errors import FieldProblem, InvalidInput
from web.forms import checked
from web.people_models import GroupChange, GroupModel

FIELDS = ("name", "strategy", "ring_seconds", "wrap_up_seconds", "longest_wait", "longest_talk", "priority", "announce_every")
SWITCHES = ("sticky_owner", "announce_place", "announce_wait")


@dataclass(frozen=True, slots=True)
class MemberText:
    """A row of the members as it was typed."""

    extension: str
    weight: str = "1"
    level: str = "1"


@dataclass(frozen=True, slots=True)
class GroupText:
    """The fields of the form as they were typed, `members` in order; `switched` has the boxes that are checked."""

    fields: Mapping[str, str] = field(default_factory=dict)
    switched: frozenset[str] = frozenset()
    members: tuple[MemberText, ...] = ()

    @classmethod
    def typed(cls, items: Iterable[tuple[str, str]]) -> GroupText:
        """What a form sent; each member is a field "member", with the fields "weight.2001" and "level.2001"."""
        items = list(items)
        given = dict(items)
        extensions = dict.fromkeys(value for name, value in items if name == "member")
        return cls(
            {name: given.get(name, "") for name in FIELDS},
            frozenset(name for name in SWITCHES if name in given),
            tuple(MemberText(one, given.get(f"weight.{one}", ""), given.get(f"level.{one}", "")) for one in extensions),
        )

    @classmethod
    def of(cls, group: GroupModel) -> GroupText:
        """A stored group, to be changed."""
        values = {name: getattr(group, name) for name in FIELDS}
        return cls(
            {name: "" if value is None else str(value) for name, value in values.items()},
            frozenset(name for name in SWITCHES if getattr(group, name)),
            tuple(MemberText(one.extension, str(one.weight), str(one.level)) for one in group.members),
        )

    def after(self, button: str, chosen: str) -> GroupText:
        """The form after a button of the members was pressed: "up.2001", "down.2001", "remove.2001", or "add" for the operator
        who is `chosen`; any other changes nothing.
        """
        verb, _, extension = button.partition(".")
        members = list(self.members)
        place = next((place for place, one in enumerate(members) if one.extension == extension), None)
        if verb == "add" and chosen and chosen not in {one.extension for one in members}:
            members.append(MemberText(chosen))
        elif verb == "remove" and place is not None:
            del members[place]
        elif verb in ("up", "down") and place is not None:
            other = min(max(place + (-1 if verb == "up" else 1), 0), len(members) - 1)
            members[place], members[other] = members[other], members[place]
        return GroupText(self.fields, self.switched, tuple(members))

    def change(self) -> GroupChange:
        """What it means. Raises InvalidInput: what is wrong with a member is said of "members", with his extension."""
        data = {name: value.strip() or None for name, value in self.fields.items()}
        wanted = {name: value for name, value in data.items() if value is not None}
        members = [{"extension": one.extension, "weight": one.weight, "level": one.level} for one in self.members]
        try:
            return checked(GroupChange, {**wanted, **{name: name in self.switched for name in SWITCHES}, "members": members})
        except InvalidInput as refused:
            raise self.explained(refused) from None

    def explained(self, refused: InvalidInput) -> InvalidInput:
        """The same with the extension of the member that each problem is about."""
        return InvalidInput(str(refused), [self._named(problem) for problem in refused.problems])

    def _named(self, problem: FieldProblem) -> FieldProblem:
        name, _, rest = problem.field.partition(".")
        place, _, part = rest.partition(".")
        if name != "members" or not place.isdigit() or int(place) >= len(self.members):
            return problem
        return FieldProblem("members", f"{part} of {self.members[int(place)].extension}: {problem.message}")
