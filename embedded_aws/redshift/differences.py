"""What the embedded Redshift does otherwise than Redshift, as data: docs and tests are made from these tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One construct: what becomes of it here, and why that is (or is not) enough."""

    construct: str
    here: str


_PRINCIPALS = ("USER", "ROLE", "GROUP")
_VERBS = ("CREATE", "ALTER", "DROP", "ATTACH", "DETACH")
_POLICIES = (
    (
        "MASKING",
        "a mask is cast to its column's type; superusers see values as they are; paths into SUPER are refused, and "
        "UPDATE or DELETE by a masked column",
    ),
    ("RLS", "holds for SELECT, UNLOAD, UPDATE and DELETE, through views, too; MERGE is refused"),
)

# Recognised by their leading words, since sqlglot does not parse them, and executed by a handler (kinds.HANDLERS).
NAMED: dict[tuple[str, ...], Difference] = {
    words: Difference(" ".join(words), here)
    for words, here in (
        (("COPY",), "single node; MAXERROR, JSONPaths and fixed width are refused; Parquet types must match exactly"),
        (("UNLOAD",), "one file `0000_part_00`; Parquet and CSV only"),
        (
            ("REFRESH", "MATERIALIZED", "VIEW"),
            "the whole query again, never incremental; a transaction of its own, so that rows of its own batch are not "
            "seen; one created in the same batch is refreshed in it",
        ),
        (("ALTER", "MATERIALIZED", "VIEW"), "AUTO REFRESH is recorded; no view is ever refreshed by itself"),
        (
            ("CREATE", "PROCEDURE"),
            "statements, EXECUTE of a literal string, CALL, IF ... ELSE and RAISE EXCEPTION; input arguments only, no "
            "overloading by type; anything else is refused when the procedure is created",
        ),
        (("CALL",), "runs as the procedure's owner when it is SECURITY DEFINER; answers no rows"),
        (("DROP", "PROCEDURE"), "only by its owner or the admin"),
        (
            ("CREATE", "EXTERNAL", "SCHEMA"),
            "FROM KINESIS only. A stream is answered from what its consumer has stored in S3 (the stream's tag "
            "`RecordsStoredAt`), to a role that may read the stream: a record as it was stored, the time at which its "
            "batch was, the batch's first sequence number, no partition key; what the consumer refused is absent",
        ),
        (
            ("CREATE", "MODEL"),
            "FUNCTION ... SAGEMAKER only (remote inference); the function asks the embedded endpoint with the model's "
            "role, in CSV, at most 2,048 rows at a time; NULL is an empty field; no SUPER arguments; at most 256 "
            "arguments (AWS documents no limit for remote inference)",
        ),
        (("DROP", "MODEL"), "only by its owner or the admin; a view that calls the function fails from then on"),
        (("SHOW", "MODEL"), "the main lines"),
        (
            ("GRANT",),
            "enforced for every statement; ALL holds DROP, ALTER and TRUNCATE, too; names of functions, procedures, "
            "models and languages are not checked, nor told apart by signature",
        ),
        (("REVOKE",), "as GRANT; CASCADE and RESTRICT make no difference"),
        (
            ("ALTER", "DEFAULT", "PRIVILEGES"),
            "for tables and views; for functions and procedures recorded without effect",
        ),
        (("ALTER", "TABLE", "OWNER"), "superusers give anything away, owners what is theirs"),
        (("ALTER", "TABLE", "ROW LEVEL SECURITY"), "ON, OFF and CONJUNCTION TYPE; MERGE into such a table is refused"),
        *((("CREATE", kind), "made; a second time is an error") for kind in ("ROLE", "GROUP")),
        (("CREATE", "USER"), "made; passwords, limits and validity are not kept: nobody connects by password"),
        (("ALTER", "USER"), "CREATEUSER makes a superuser; other attributes are not kept, RENAME is refused"),
        (("ALTER", "ROLE"), "EXTERNALID is accepted without effect, RENAME is refused"),
        (("ALTER", "GROUP"), "ADD USER and DROP USER; RENAME is refused"),
        *((("DROP", kind), "refused while it has privileges or members, as in Redshift") for kind in _PRINCIPALS),
        *(((verb, kind, "POLICY"), text) for verb in _VERBS for kind, text in _POLICIES),
    )
}

# Recognised by their leading words; recorded, without any other effect.
ACCEPTED_ONLY: dict[tuple[str, ...], Difference] = {
    words: Difference(" ".join(words), here)
    for words, here in (
        (("ANALYZE",), "recorded without effect: DuckDB keeps its own statistics"),
        (("VACUUM",), "recorded without effect: DuckDB reclaims space at checkpoints"),
        (("LOCK",), "recorded without effect: one writer at a time per database in any case"),
    )
}

# ALTER TABLE ... with one of these words: recorded without effect.
ACCEPTED_ALTER_TABLE = ("DISTKEY", "DISTSTYLE", "SORTKEY", "ENCODE")

# Session settings that may be SET; all but search_path are without effect. Any other is an error.
ACCEPTED_SETTINGS = (
    "search_path", "query_group", "statement_timeout", "enable_result_cache_for_session", "application_name",
    "datestyle", "extra_float_digits", "wlm_query_slot_count", "analyze_threshold_percent",
)  # fmt: skip

EXECUTED_DIFFERENTLY = (
    Difference("DISTKEY, SORTKEY, DISTSTYLE, ENCODE, BACKUP", "dropped: DuckDB has no distribution, sort or encoding"),
    Difference(
        "PRIMARY KEY, UNIQUE, FOREIGN KEY", "dropped, as Redshift does not enforce them; primary keys stay NOT NULL"
    ),
    Difference("IDENTITY", "a sequence as the column's default; an explicit value is not refused"),
    Difference("SUPER", "DuckDB's JSON; a scalar compares as JSON text"),
    Difference(
        "VARCHAR(n), CHAR(n)", "bytes checked on insert; not for columns added by ALTER TABLE; CHAR is not padded"
    ),
    Difference("CREATE TABLE AS", "keeps types, but not the n of VARCHAR(n)"),
    Difference("numeric / numeric", "a double, not a numeric with Redshift's scale"),
    Difference("AVG", "sum / count: truncated for integers as in Redshift; a double for numerics"),
    Difference("SUM, COUNT", "SUM of any integer is a 128-bit integer, shown as int8 when it fits"),
    Difference("APPROXIMATE COUNT(DISTINCT ...)", "DuckDB's HyperLogLog: another estimate"),
    Difference(
        "materialized view",
        "a table that keeps its query; only its owner or the admin refreshes, alters or drops it; `is_stale` is set by "
        "any change of a table below it; state is always 0 (recomputed)",
    ),
    Difference("view", "bound to what it reads; OR REPLACE may change its columns"),
    Difference(
        "view WITH NO SCHEMA BINDING",
        "may be created before its tables; its columns are checked as soon as all of them exist",
    ),
    Difference("concurrent writers", "wait for each other per database, not per table; readers see the last commit"),
    Difference(
        "IAM caller",
        "becomes IAMR:<role> or IAM:<user>, without rights but for the roles that its tag RedshiftDbRoles names; the "
        "operator of the laptop (the account's root, which has no tags) is treated as tagged `admin`",
    ),
    Difference("system views", "show every row to everyone; Redshift shows only what concerns the user"),
    Difference("TRUNCATE in a batch", "commits what came before, as in Redshift; the rest is a new transaction"),
)

# Known to be Redshift's, and refused with a clear error.
NOT_IMPLEMENTED = (
    "CREATE FUNCTION",
    "CREATE MODEL ... FROM (training), CREATE EXTERNAL MODEL / TABLE / FUNCTION, data shares",
    "DECLARE, loops, cursors, SELECT INTO, COMMIT and OUT arguments in procedures",
    "GRANT ... FOR TABLES IN (scoped permissions), GRANT ASSUMEROLE, GRANT ON ALL FUNCTIONS or PROCEDURES",
    "names with a database",
    "MERGE ... REMOVE DUPLICATES",
    "ALTER TABLE APPEND, ALTER COLUMN TYPE on a length-checked column",
    "SHOW (but MODEL), EXPLAIN, cursors, prepared statements, SessionId of the Data API",
)
