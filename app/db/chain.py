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

LEAVES_DIGEST = "sha256(string_agg(leaf, '' ORDER BY seq))"
"""The digest of a link, from the leaves that it covers."""
