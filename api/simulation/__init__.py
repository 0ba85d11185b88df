"""A clinic that does not exist, lived through week by week: what a policy of planning does to waits over months.

:mod:`.world` draws, by seed, who is referred when, who comes, what comes of it, and who falls ill: the same for every
policy. :mod:`.practice` lives through it by the rules of the clinic, planning as its :mod:`.policies` say. :mod:`.measures`
counts, :mod:`.report` shows; :mod:`scheduling.care_rules` judges whether care was as it has to be.
"""
