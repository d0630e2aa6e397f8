"""The real rules, queue and store on a manual clock, under seeded faults."""
