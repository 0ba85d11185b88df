"""Who may come in, and with what: people, programs of hospital systems, and clinicians in need."""
