"""Plans solved outside the request: asked for in a transaction, worked off by any number of workers on any machine.

A job's row in the store is the truth, and says how often the job has been handed out: its *attempt*. Whoever writes for a
job names the attempt, so a worker that was given up cannot write any more. DBOS carries only ids: the queue in the store's
own database holds one workflow ``<job>/<attempt>``, put there in the transaction that writes the row.

- :mod:`api.runtime.job_queue` holds the jobs that wait: it takes them in, and hands them out again.
- :mod:`api.background.jobs.worker` takes jobs from the queue, reports how they go, and takes over those of dead workers.
- :mod:`api.background.jobs.solving` starts, hears and ends the process that solves one job; :mod:`api.background.jobs.process`
  is that process.

DBOS recovers a workflow only in the process that had it, or by its commercial conductor. Heartbeats, take-over and the end of
a job that kills its workers are therefore ours; each take-over is a new workflow, never DBOS's recovery of the old one.
"""
