"""Ruin and recreate in compiled code: take out visits that stand near each other, put them back, anneal.

After Schrimpf, Schneider, Stamm-Wilbrandt and Dueck (2000), doi:10.1006/jcph.1999.6413, with the strings and blinks of
Christiaens and Vanden Berghe, Slack induction by string removals (2020), doi:10.1287/trsc.2019.0914.

Numba compiles these functions on their first call (some seconds, kept on disk) and runs them without the interpreter's lock.
They know numbers only; :mod:`solver.search.encoding` makes them from a scenario, and placements from what they find. From the
search down:

- :mod:`~solver.search.kernel.annealing`: the steps, and which of them are kept;
- :mod:`~solver.search.kernel.waiting`: what waits to be put back, and in which order;
- :mod:`~solver.search.kernel.ruins`: what is taken out;
- :mod:`~solver.search.kernel.chains` and :mod:`~solver.search.kernel.insertion`: the best free places of visits that go
  together, and of one task;
- :mod:`~solver.search.kernel.fits`: the rules between tasks;
- :mod:`~solver.search.kernel.moves`: placing a task and taking it out;
- :mod:`~solver.search.kernel.costs`: what a task costs at a place;
- :mod:`~solver.search.kernel.draws`: random numbers;
- :mod:`~solver.search.kernel.layout`: the arrays and their columns;
- :mod:`~solver.search.kernel.compilation`: how Numba compiles them.

The few arrays are passed around together, on purpose: each array that is passed costs time at every call (23 arrays: 12,000
ruins a second on a week; these 7: 66,000).
"""
