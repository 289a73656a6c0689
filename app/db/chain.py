"""What the audit chain is made of, computed by the database alone, so that nobody can disagree.

Every version of PostgreSQL writes a jsonb the same way, and an array of JSON values can be read in
one way only: so equal leaves are equal revisions, and a copy of the register has the same ones.
"""

LEAF = """
    sha256(convert_to(CAST(jsonb_build_array(
        event, revision, seq, extract(epoch FROM recorded_at), action, by, note, reason,
        merged_into, facts
    ) AS text), 'UTF8'))
"""
"""The digest of a row of `event_revision`."""

REFERENCE_LEAF = """
    sha256(convert_to(CAST(jsonb_build_array(
        type, id, revision, seq, extract(epoch FROM recorded_at), action, by, note,
        merged_into, facts
    ) AS text), 'UTF8'))
"""
"""The digest of a row of `reference_revision`."""

LEAVES = f"""
    SELECT seq, {LEAF} AS leaf FROM event_revision
    UNION ALL
    SELECT seq, {REFERENCE_LEAF} FROM reference_revision
"""  # noqa: S608 - Put together from constants of ours.
"""The leaf of every number of the journal."""

LEAVES_TOGETHER = "string_agg(leaf, '' ORDER BY seq)"
"""The leaves that a link covers; their SHA-256 is the digest of the link."""
