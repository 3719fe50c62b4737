"""`make drill-record`: thousands of seeded rounds of drills, kept as docs/drill-record.md."""
