"""Whether an account works, end to end, without booking anything: `bellhop doctor`."""
