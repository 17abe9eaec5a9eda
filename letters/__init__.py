"""Dead letters: the archive, replays, bulk jobs, edits, preflight, timeline, masking and serializers."""
