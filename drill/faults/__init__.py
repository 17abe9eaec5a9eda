"""What a drill does to an installation. `table.py` names every fault; the others say what each does."""
