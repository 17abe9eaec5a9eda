"""Dead letters and what people do about them: the archive, replays, bulk jobs, edits; and how it is told."""
