"""Watches as Prometheus metrics, in its text format and in OpenMetrics.

Lives here: ``family`` (what a metric is), one module for each set of names, ``golang`` (those of client_golang's Go
collector), ``python`` (those of client_python), ``process`` (those that both give a process), ``own`` (memdash's, one
for each of its metrics, and what it makes of them), ``exposition``, which writes them all, and ``backfill``, which does
so for moments that are past. To add a metric, add one entry to the list of its module.
"""
