"""Imported by a process that forks commands: tables of a few pages are read in many row-chunks."""

from rowvault.scan import workers

workers.SMALLEST_CHUNK_BYTES = 4096
workers.LARGEST_CHUNK_BYTES = 16384
workers.keeps_others_waiting = lambda table_cost, rest_cost, worker_count: True
