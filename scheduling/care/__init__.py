"""Care over months: pathways as data, episodes on them, groups that go on, and the week that all of it asks for.

A *pathway* says which steps a course of care has; an *episode* is one patient's, as the events of its history. From these
follow the *windows* of the steps that are open, and the *agenda*: the visits, links and warnings of some days. A *programme*
asks for a session each month, *reserves* hold capacity for referrals to come, *rolling* puts a week's scenario together from
all that, and *outlook* looks twelve weeks ahead. The *rules* judge what has been by the rules of care, knowing nothing of
the rest.
"""
