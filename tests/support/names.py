"""A register of very many names, as the tables have them: no revisions stand behind them."""

# As names are: of words that many of them share, with nothing that is unique at either end.
_WORDS = """
    (ARRAY['ministry', 'committee', 'council', 'front', 'union', 'bank', 'agency', 'army', 'party',
        'movement', 'institute', 'company'])[1 + n % 12] || ' of '
    || (ARRAY['foreign', 'national', 'free', 'islamic', 'united', 'northern', 'public', 'people'])
        [1 + n / 12 % 8]
    || ' ' || substr(md5(n::text), 1, 4 + n % 5) || ' '
    || (ARRAY['affairs', 'security', 'defence', 'trade', 'liberation', 'justice', 'development'])
        [1 + n / 96 % 7]
"""


def many_names(count: int) -> tuple[str, ...]:
    """Return the statements that add so many parties with a name each, and so many measures."""
    numbers = f"generate_series(1, {count}) n"
    return (
        "SET statement_timeout = 0",
        f"""
        INSERT INTO party (id, name, kind, aliases)
            SELECT 'many-' || n, {_WORDS}, 'organisation', '{{}}' FROM {numbers}
        """,
        f"""
        INSERT INTO party_name (folded, party, known_from)
            SELECT {_WORDS}, 'many-' || n, '-infinity' FROM {numbers}
        """,
        f"""
        INSERT INTO event_count (counted_by, value, events)
            SELECT 'measure', 'order-' || substr(md5(n::text), 1, 6) || '-' || 1980 + n % 45, 1
            FROM {numbers}
            ON CONFLICT DO NOTHING
        """,
        "ANALYZE party_name, event_count",
    )
