"""The parts into which a scenario falls: tasks of different parts share nobody, nothing and no cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

from solver.state.domains import Domains
from solver.state.tasks import Key, Task, visit_key


def find_parts(domains: Domains, joint_patients: bool = False) -> list[list[Key]]:
    """Return the parts of a scenario, the one with the fewest options first; each may be planned without the others.

    Tasks that have no option anywhere are with the first part. A notification budget is shared by everybody: one part then.
    With ``joint_patients`` parts may share those: their items must not meet.
    """
    if domains.scenario.policy.max_notified_moves is not None:
        return [[task.key for task in domains.tasks]]
    parents: dict[Hashable, Hashable] = {}

    def find(member: Hashable) -> Hashable:
        root = member
        while (parent := parents.setdefault(root, root)) != root:
            root = parent
        while parents[member] != root:
            parents[member], member = root, parents[member]
        return root

    for task in domains.tasks:
        for shared in _list_shared(domains, task) if domains.options[task.key] else ():
            if joint_patients and shared[0] == "patient":
                continue
            parents[find(shared)] = find(task.key)
    parts: dict[Hashable, list[Key]] = defaultdict(list)
    for task in domains.tasks:
        if domains.options[task.key]:
            parts[find(task.key)].append(task.key)
    ordered = sorted(parts.values(), key=lambda part: (sum(len(domains.options[key]) for key in part), part[0]))
    idle = [task.key for task in domains.tasks if not domains.options[task.key]]
    return [[*ordered[0], *idle], *ordered[1:]] if ordered else [idle]


def _list_shared(domains: Domains, task: Task) -> Iterator[tuple[Hashable, ...]]:
    """Yield whatever a task may share with others: people by day, rooms, devices and bays by day, patients and links."""
    people, service = domains.scenario.providers_by_id, task.service
    places = {(option.day, option.location) for option in domains.options[task.key]}
    members = {(option.provider, option.day) for option in domains.options[task.key] if option.provider is not None}
    if any(people[provider].trainee for provider, _ in members):
        watching = (option for option in domains.seat(service, None) if (option.day, option.location) in places)
        members |= {(option.provider, option.day) for option in watching if option.provider is not None}
    yield from (("provider", *member) for member in members)
    for day, location in places:
        yield from (("room", day, room) for room in domains.rooms_of(task, location))
        yield from (("device", day, location, device) for device in service.equipment)
        if service.recovery:
            yield "bays", day, location
    yield from (("patient", patient) for patient in domains.list_patients(task))
    for link in domains.links.get(task.key, ()):
        yield from (visit_key(link.before), visit_key(link.after))
