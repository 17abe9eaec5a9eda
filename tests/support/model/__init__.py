"""A small model of everything that happens to an event, driven by the decision functions of the code itself.

The real `Executor` works each delivery: its handler and its ledger answer from a list, and where that ends it stops
with what it asks next (`worker.py`). So a worker is a value, the answers it was given, and can be copied, killed and
overtaken at every step. The ledger's answers come from the real `decide`, `apply`, `mark_after`, `merge_booking` and
`apply_event` over rows in memory (`records.py`). `world.py` has what may happen next; `explore.py` follows all of it.
"""
