/// The functions that write, and what people look at. `{schema}` stands for the schema's quoted name.
///
/// A function's statements see what is committed when they begin, so what is read after the lock of the
/// thread's row is the truth; in one statement it would be as old as the statement. Plans are cached by the
/// server's session, when the tables may be empty: plans without an index are ruled out.
///
/// Conditions of the contract that do not hold are errors MX001 to MX009. An append that is not strict
/// answers with their number instead, so that others of its transaction are stored.
enum PostgreSQLFunctions {
    static let all = [
        begin, checksum, append, noteActivity, createThread, updateThread, removeThread, removeMessages,
        putMessage, putDerived, removeDerived, putBlob, appendPiece, removePieces, text, json, conversations,
    ]

    private static let settings = "SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off"

    /// Of a transaction: how long it waits for locks, and whether its commit waits for the disk. Locks the
    /// threads of a batch in one order, so that batches never wait for each other in a circle.
    private static let begin = """
        CREATE OR REPLACE FUNCTION {schema}.begin(p_keys bigint[], p_wait bigint, p_durable boolean)
        RETURNS void LANGUAGE plpgsql \(settings) AS $$
        BEGIN
          PERFORM set_config('lock_timeout', p_wait::text, true);
          IF NOT p_durable THEN
            PERFORM set_config('synchronous_commit', 'off', true);
          ELSIF current_setting('synchronous_commit') = 'off' THEN
            PERFORM set_config('synchronous_commit', 'on', true);
          END IF;
          PERFORM 1 FROM {schema}.threads WHERE key = ANY (p_keys) ORDER BY key FOR NO KEY UPDATE;
        END $$
        """

    /// Seq and changes are known under the lock alone: they go into the checksum here.
    private static let checksum = """
        CREATE OR REPLACE FUNCTION {schema}.checksum(p_sum bigint, p_seq bigint, p_changes bigint)
        RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
          SELECT p_sum # (((p_seq * 2654435761) # ((p_changes & 2147483647) * 2246822519)) & 4294967295)
        $$
        """

    /// Numbers of a message: created_at_us, format, tokens, flags, content_offset, content_length, codec,
    /// checksum. Of the append: expect_seq, wait in milliseconds, strict, durable.
    /// Answers {0, first_seq, last_seq, created_at_us, rev, is_duplicate} or {number of MX…, detail}.
    private static let append = """
        CREATE OR REPLACE FUNCTION {schema}.append(
          p_thread bigint, p_numbers bigint[], p_roles text[], p_bodies bytea[], p_options bigint[],
          p_ids text[] = NULL, p_extras bytea[] = NULL, p_raw_roles bytea[] = NULL,
          p_key text = NULL, p_digest bytea = NULL)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE
          n constant integer := cardinality(p_bodies);
          v_tenant text; v_floor bigint; v_changes bigint; v_activity bigint; v_last bigint; v_at bigint;
          v_setting text; v_failure bigint[];
          w_seq bigint; w_at bigint; w_count integer; w_rev bigint; w_digest bytea;
        BEGIN
          v_setting := set_config('lock_timeout', p_options[2]::text, true);
          IF p_options[4] = 0 THEN
            v_setting := set_config('synchronous_commit', 'off', true);
          ELSIF current_setting('synchronous_commit') = 'off' THEN
            v_setting := set_config('synchronous_commit', 'on', true);
          END IF;
          SELECT tenant, floor, changes, activity_at_us INTO v_tenant, v_floor, v_changes, v_activity
            FROM {schema}.threads WHERE key = p_thread AND NOT hidden FOR NO KEY UPDATE;
          IF NOT FOUND THEN
            v_failure := '{1,0}';
          ELSE
            SELECT seq INTO v_last FROM {schema}.messages WHERE tenant = v_tenant AND thread = p_thread
              ORDER BY seq DESC LIMIT 1;
            v_last := greatest(v_floor, v_last);
            IF p_key IS NOT NULL THEN
              SELECT seq, created_at_us, append_count, append_rev, append_digest
                INTO w_seq, w_at, w_count, w_rev, w_digest FROM {schema}.messages
                WHERE tenant = v_tenant AND thread = p_thread AND idempotency_key = p_key;
              IF FOUND THEN
                IF w_count = n AND w_digest = p_digest THEN
                  RETURN ARRAY[0, w_seq, w_seq + n - 1, w_at, w_rev, 1];
                END IF;
                v_failure := '{4,0}';
              END IF;
            END IF;
            IF v_failure IS NULL THEN
              IF p_options[1] <> 0 AND p_options[1] <> v_last + 1 THEN
                v_failure := ARRAY[8, v_last + 1];
              ELSIF v_last > 2147483647 - n THEN
                v_failure := '{6,0}';
              ELSIF p_ids IS NOT NULL THEN
                IF EXISTS (SELECT 1 FROM {schema}.messages
                    WHERE tenant = v_tenant AND thread = p_thread AND id = ANY (p_ids))
                  OR EXISTS (SELECT 1 FROM unnest(p_ids) AS u(id) WHERE id IS NOT NULL
                    GROUP BY id HAVING count(*) > 1) THEN
                  v_failure := '{3,0}';
                END IF;
              END IF;
            END IF;
          END IF;
          IF v_failure IS NOT NULL THEN
            IF p_options[3] <> 0 THEN
              RAISE EXCEPTION USING ERRCODE = 'MX00' || v_failure[1], MESSAGE = 'condition of memex',
                DETAIL = v_failure[2];
            END IF;
            RETURN v_failure;
          END IF;
          IF n = 1 THEN
            INSERT INTO {schema}.messages(tenant, thread, seq, rev, created_at_us, role, format, tokens,
                flags, content_offset, content_length, codec, checksum, id, idempotency_key, append_count,
                append_rev, append_digest, raw_role, extra, body)
              VALUES (v_tenant, p_thread, v_last + 1, v_last + 1 + v_changes, p_numbers[1], p_roles[1],
                p_numbers[2], p_numbers[3], p_numbers[4], p_numbers[5], p_numbers[6], p_numbers[7],
                {schema}.checksum(p_numbers[8], v_last + 1, v_changes), p_ids[1], p_key,
                CASE WHEN p_key IS NOT NULL THEN 1 END,
                CASE WHEN p_key IS NOT NULL THEN v_last + 1 + v_changes END, p_digest, p_raw_roles[1],
                p_extras[1], p_bodies[1]);
          ELSE
            INSERT INTO {schema}.messages(tenant, thread, seq, rev, created_at_us, role, format, tokens,
                flags, content_offset, content_length, codec, checksum, id, idempotency_key, append_count,
                append_rev, append_digest, raw_role, extra, body)
              SELECT v_tenant, p_thread, v_last + i, v_last + i + v_changes, p_numbers[i * 8 - 7], u.role,
                p_numbers[i * 8 - 6], p_numbers[i * 8 - 5], p_numbers[i * 8 - 4], p_numbers[i * 8 - 3],
                p_numbers[i * 8 - 2], p_numbers[i * 8 - 1],
                {schema}.checksum(p_numbers[i * 8], v_last + i, v_changes), u.id,
                CASE WHEN i = 1 THEN p_key END, CASE WHEN i = 1 AND p_key IS NOT NULL THEN n END,
                CASE WHEN i = 1 AND p_key IS NOT NULL THEN v_last + n + v_changes END,
                CASE WHEN i = 1 THEN p_digest END, u.raw_role, u.extra, u.body
              FROM unnest(p_bodies, p_roles, p_raw_roles, p_ids, p_extras)
                WITH ORDINALITY AS u(body, role, raw_role, id, extra, i) ORDER BY i;
          END IF;
          v_at := p_numbers[n * 8 - 7];
          IF v_at < v_activity OR v_at - v_activity > 60000000 THEN
            UPDATE {schema}.threads SET activity_at_us = v_at WHERE tenant = v_tenant AND key = p_thread;
          END IF;
          RETURN ARRAY[0, v_last + 1, v_last + n, p_numbers[1], v_last + n + v_changes, 0];
        END $$
        """

    /// The thread's state after a change of its rows, its place moved when it is due: {last_seq, rev}.
    private static let noteActivity = """
        CREATE OR REPLACE FUNCTION {schema}.note_activity(p_thread bigint)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE t record; m record; v_at bigint; v_last bigint;
        BEGIN
          SELECT tenant, floor, changes, activity_at_us, base_seq, created_at_us INTO t
            FROM {schema}.threads WHERE key = p_thread FOR NO KEY UPDATE;
          IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MX001', MESSAGE = 'condition of memex';
          END IF;
          SELECT seq, created_at_us INTO m FROM {schema}.messages
            WHERE tenant = t.tenant AND thread = p_thread ORDER BY seq DESC LIMIT 1;
          v_last := greatest(t.floor, m.seq);
          v_at := CASE WHEN m.seq > t.base_seq AND m.created_at_us <> 0 THEN m.created_at_us
            ELSE t.created_at_us END;
          IF v_at < t.activity_at_us OR v_at - t.activity_at_us > 60000000 THEN
            UPDATE {schema}.threads SET activity_at_us = v_at WHERE tenant = t.tenant AND key = p_thread;
          END IF;
          RETURN ARRAY[v_last, v_last + t.changes];
        END $$
        """

    /// Numbers: version, created_at_us, updated_at_us, activity_at_us, changes, deleted, floor, base_key,
    /// base_seq, base_rev, root_key, forks. Key 0 takes the next. Answers {key, first, last, at, rev}.
    private static let createThread = """
        CREATE OR REPLACE FUNCTION {schema}.create_thread(
          p_key bigint, p_tenant text, p_id text, p_title text, p_raw_title bytea, p_metadata text,
          n bigint[])
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_key bigint;
        BEGIN
          INSERT INTO {schema}.threads VALUES (p_tenant,
              CASE WHEN p_key = 0 THEN nextval('{schema}.thread_keys') ELSE p_key END, p_id, p_title,
              p_raw_title, p_metadata, n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11],
              n[12], false)
            ON CONFLICT (tenant, id) WHERE NOT hidden DO NOTHING RETURNING key INTO v_key;
          IF v_key IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'MX002', MESSAGE = 'condition of memex';
          END IF;
          RETURN ARRAY[v_key, 0, 0, 0, n[7] + n[5]];
        END $$
        """

    /// Numbers: what is given (1 version, 2 changes, 4 title, 8 metadata, 16 updated_at_us, 32 hide),
    /// expected version, expected changes, the deltas of version, changes, deleted and forks, updated_at_us.
    private static let updateThread = """
        CREATE OR REPLACE FUNCTION {schema}.update_thread(
          p_thread bigint, n bigint[], p_title text, p_raw_title bytea, p_metadata text)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_version bigint; v_changes bigint; v_state bigint[];
        BEGIN
          SELECT version, changes INTO v_version, v_changes FROM {schema}.threads
            WHERE key = p_thread FOR NO KEY UPDATE;
          IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MX001', MESSAGE = 'condition of memex';
          ELSIF n[1] & 1 <> 0 AND n[2] <> v_version THEN
            RAISE EXCEPTION USING ERRCODE = 'MX007', MESSAGE = 'condition of memex', DETAIL = v_version;
          ELSIF n[1] & 2 <> 0 AND n[3] <> v_changes THEN
            RAISE EXCEPTION USING ERRCODE = 'MX005', MESSAGE = 'condition of memex';
          END IF;
          UPDATE {schema}.threads SET
              title = CASE WHEN n[1] & 4 <> 0 THEN p_title ELSE title END,
              raw_title = CASE WHEN n[1] & 4 <> 0 THEN p_raw_title ELSE raw_title END,
              metadata = CASE WHEN n[1] & 8 <> 0 THEN p_metadata ELSE metadata END,
              updated_at_us = CASE WHEN n[1] & 16 <> 0 THEN n[8] ELSE updated_at_us END,
              hidden = hidden OR n[1] & 32 <> 0, version = version + n[4], changes = changes + n[5],
              deleted = deleted + n[6], forks = forks + n[7]
            WHERE key = p_thread;
          v_state := {schema}.note_activity(p_thread);
          RETURN ARRAY[p_thread, 0, 0, 0, v_state[2]];
        END $$
        """

    private static let removeThread = """
        CREATE OR REPLACE FUNCTION {schema}.remove_thread(p_thread bigint)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_tenant text;
        BEGIN
          DELETE FROM {schema}.threads WHERE key = p_thread RETURNING tenant INTO v_tenant;
          IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MX001', MESSAGE = 'condition of memex';
          END IF;
          DELETE FROM {schema}.messages WHERE tenant = v_tenant AND thread = p_thread;
          DELETE FROM {schema}.pieces WHERE tenant = v_tenant AND thread = p_thread;
          DELETE FROM {schema}.derived WHERE tenant = v_tenant AND thread = p_thread;
          RETURN ARRAY[p_thread, 0, 0, 0, 0];
        END $$
        """

    private static let removeMessages = """
        CREATE OR REPLACE FUNCTION {schema}.remove_messages(p_thread bigint, p_above bigint)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_tenant text; v_state bigint[];
        BEGIN
          UPDATE {schema}.threads SET floor = greatest(floor, p_above) WHERE key = p_thread
            RETURNING tenant INTO v_tenant;
          IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MX001', MESSAGE = 'condition of memex';
          END IF;
          DELETE FROM {schema}.messages WHERE tenant = v_tenant AND thread = p_thread AND seq > p_above;
          DELETE FROM {schema}.pieces WHERE tenant = v_tenant AND thread = p_thread AND seq > p_above;
          v_state := {schema}.note_activity(p_thread);
          RETURN ARRAY[p_thread, 0, v_state[1], 0, v_state[2]];
        END $$
        """

    /// Numbers as of an append; p_changes -1 stamps the thread's rev. The row's idempotency key stays.
    private static let putMessage = """
        CREATE OR REPLACE FUNCTION {schema}.put_message(
          p_thread bigint, p_seq bigint, p_changes bigint, n bigint[], p_role text, p_raw_role bytea,
          p_id text, p_extra bytea, p_body bytea)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_state bigint[]; v_tenant text; v_changes bigint := p_changes;
        BEGIN
          v_state := {schema}.note_activity(p_thread);
          SELECT tenant INTO v_tenant FROM {schema}.threads WHERE key = p_thread;
          IF p_seq < 1 OR p_seq > 2147483647 THEN
            RAISE EXCEPTION USING ERRCODE = 'MX009', MESSAGE = 'condition of memex', DETAIL = p_seq;
          END IF;
          IF p_changes < 0 THEN v_changes := v_state[2] - p_seq; END IF;
          IF p_id IS NOT NULL AND EXISTS (SELECT 1 FROM {schema}.messages WHERE tenant = v_tenant
              AND thread = p_thread AND id = p_id AND seq <> p_seq) THEN
            RAISE EXCEPTION USING ERRCODE = 'MX003', MESSAGE = 'condition of memex';
          END IF;
          UPDATE {schema}.messages SET rev = p_seq + v_changes, created_at_us = n[1], role = p_role,
              format = n[2], tokens = n[3], flags = n[4], content_offset = n[5], content_length = n[6],
              codec = n[7], checksum = {schema}.checksum(n[8], p_seq, v_changes), id = p_id,
              raw_role = p_raw_role, extra = p_extra, body = p_body
            WHERE tenant = v_tenant AND thread = p_thread AND seq = p_seq;
          IF NOT FOUND THEN
            INSERT INTO {schema}.messages(tenant, thread, seq, rev, created_at_us, role, format, tokens,
                flags, content_offset, content_length, codec, checksum, id, raw_role, extra, body)
              VALUES (v_tenant, p_thread, p_seq, p_seq + v_changes, n[1], p_role, n[2], n[3], n[4], n[5],
                n[6], n[7], {schema}.checksum(n[8], p_seq, v_changes), p_id, p_raw_role, p_extra, p_body);
          END IF;
          v_state := {schema}.note_activity(p_thread);
          RETURN ARRAY[p_thread, p_seq, p_seq, n[1], v_state[2]];
        END $$
        """

    private static let putDerived = """
        CREATE OR REPLACE FUNCTION {schema}.put_derived(
          p_thread bigint, p_kind text, p_name text, n bigint[], p_body bytea)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_state bigint[];
        BEGIN
          v_state := {schema}.note_activity(p_thread);
          INSERT INTO {schema}.derived
            SELECT tenant, p_thread, p_kind, p_name, n[1], n[2], n[3], n[4], p_body
            FROM {schema}.threads WHERE key = p_thread
            ON CONFLICT (tenant, thread, kind, name) DO UPDATE SET from_seq = excluded.from_seq,
              to_seq = excluded.to_seq, rev = excluded.rev, created_at_us = excluded.created_at_us,
              body = excluded.body;
          RETURN ARRAY[p_thread, 0, 0, 0, v_state[2]];
        END $$
        """

    private static let removeDerived = """
        CREATE OR REPLACE FUNCTION {schema}.remove_derived(p_thread bigint, p_kind text, p_name text)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_state bigint[];
        BEGIN
          v_state := {schema}.note_activity(p_thread);
          DELETE FROM {schema}.derived WHERE thread = p_thread AND kind = p_kind AND name = p_name
            AND tenant = (SELECT tenant FROM {schema}.threads WHERE key = p_thread);
          RETURN ARRAY[p_thread, 0, 0, 0, v_state[2]];
        END $$
        """

    private static let putBlob = """
        CREATE OR REPLACE FUNCTION {schema}.put_blob(p_hash bytea, p_bytes bytea)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        BEGIN
          INSERT INTO {schema}.blobs VALUES (p_hash, p_bytes) ON CONFLICT (hash) DO NOTHING;
          RETURN '{0,0,0,0,0}';
        END $$
        """

    private static let appendPiece = """
        CREATE OR REPLACE FUNCTION {schema}.append_piece(p_thread bigint, p_seq bigint, p_bytes bytea)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_state bigint[]; v_tenant text; v_last integer;
        BEGIN
          v_state := {schema}.note_activity(p_thread);
          SELECT tenant INTO v_tenant FROM {schema}.threads WHERE key = p_thread;
          SELECT piece INTO v_last FROM {schema}.pieces
            WHERE tenant = v_tenant AND thread = p_thread AND seq = p_seq ORDER BY piece DESC LIMIT 1;
          INSERT INTO {schema}.pieces VALUES (v_tenant, p_thread, p_seq, coalesce(v_last, 0) + 1, p_bytes);
          RETURN ARRAY[p_thread, 0, 0, 0, v_state[2]];
        END $$
        """

    private static let removePieces = """
        CREATE OR REPLACE FUNCTION {schema}.remove_pieces(p_thread bigint, p_seq bigint)
        RETURNS bigint[] LANGUAGE plpgsql \(settings) AS $$
        DECLARE v_state bigint[];
        BEGIN
          v_state := {schema}.note_activity(p_thread);
          DELETE FROM {schema}.pieces WHERE thread = p_thread AND seq = p_seq
            AND tenant = (SELECT tenant FROM {schema}.threads WHERE key = p_thread);
          RETURN ARRAY[p_thread, 0, 0, 0, v_state[2]];
        END $$
        """

    // MARK: For people

    /// Bytes as text, or NULL where they are none (compressed, or with a NUL).
    private static let text = """
        CREATE OR REPLACE FUNCTION {schema}.text(p_bytes bytea)
        RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
        BEGIN
          RETURN convert_from(p_bytes, 'UTF8');
        EXCEPTION WHEN OTHERS THEN
          RETURN NULL;
        END $$
        """

    /// Bytes as JSON, or NULL where they are none that jsonb can hold.
    private static let json = """
        CREATE OR REPLACE FUNCTION {schema}.json(p_bytes bytea)
        RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
        BEGIN
          RETURN convert_from(p_bytes, 'UTF8')::jsonb;
        EXCEPTION WHEN OTHERS THEN
          RETURN NULL;
        END $$
        """

    private static let conversations = """
        CREATE OR REPLACE VIEW {schema}.conversations AS
          SELECT t.tenant, t.id AS thread, m.seq, m.rev,
            (ARRAY['complete', 'incomplete', 'deleted'])[m.state + 1] AS state, m.role,
            to_timestamp(m.created_at_us / 1e6) AS created_at, m.format, m.tokens, m.pinned,
            {schema}.json(m.extra) -> 'metadata' AS metadata, {schema}.text(m.body) AS body
          FROM {schema}.messages m JOIN {schema}.threads t ON t.tenant = m.tenant AND t.key = m.thread
          WHERE NOT t.hidden AND m.state <> 2
        """
}
