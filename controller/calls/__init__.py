"""Live calls: one task and one mailbox each."""
