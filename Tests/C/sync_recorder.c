/* The sync before every acknowledgement. This program brings its own pwrite, fdatasync, fsync, ftruncate and
   msync: the linker lets a program's own functions go before the C library's, so SQLite calls these, and they
   record what happens to database files before they do it. The checker then proves for every append that
   between its last write to the log and its acknowledgement the log was synced; it counts syncs; and it is
   turned red twice: by durability "normal", and by a disk whose syncs are taken out of the record. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "abi_support.h"

enum event_kind { EVENT_WRITE, EVENT_MARK, EVENT_SYNC_BEGIN, EVENT_SYNC_END, EVENT_TRUNCATE, EVENT_ACKNOWLEDGED };
enum file_kind { FILE_OTHER, FILE_DATABASE, FILE_LOG };

typedef struct event {
  enum event_kind kind;
  enum file_kind file;
  int64_t at;   /* offset of a write */
  int64_t size; /* of a write */
  int mark;     /* of a message: written for the first time, or acknowledged; -1 */
  int number;   /* of a sync */
} event;

enum { EVENTS_MAX = 4000000, MARKS_MAX = 100000 };

static event *events;
static _Atomic int recording, event_count, sync_count;
static _Atomic unsigned char marked[MARKS_MAX];
static int hide_syncs;

/* ---------------------------------------------------------------------------------------- recorder -- */

static void record(enum event_kind kind, enum file_kind file, int64_t at, int64_t size, int mark, int number) {
  if (!recording) return;
  int place = event_count++;
  if (place >= EVENTS_MAX) abort();
  events[place] = (event){kind, file, at, size, mark, number};
}

static enum file_kind file_of(int descriptor) {
  char link[40], path[500];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return FILE_OTHER;
  path[n] = 0;
  size_t length = strlen(path);
  if (length > 4 && strcmp(path + length - 4, "-wal") == 0) return FILE_LOG;
  if (length > 3 && strcmp(path + length - 3, ".db") == 0) return FILE_DATABASE;
  return FILE_OTHER;
}

/* Marks are "MARK-000123" in the content of a message. A page is written again with its next message: only
   the first time counts. */
static void record_marks(const void *data, size_t size) {
  const char *at = data, *end = at + size;
  while ((at = memmem(at, (size_t)(end - at), "MARK-", 5)) && end - at >= 11) {
    int mark = atoi(at + 5);
    if (mark >= 0 && mark < MARKS_MAX && !marked[mark]) {
      marked[mark] = 1;
      record(EVENT_MARK, FILE_LOG, 0, 0, mark, 0);
    }
    at += 11;
  }
}

static ssize_t do_pwrite(int descriptor, const void *data, size_t size, off_t at) {
  if (recording) {
    enum file_kind file = file_of(descriptor);
    if (file != FILE_OTHER) record(EVENT_WRITE, file, at, (int64_t)size, -1, 0);
    if (file == FILE_LOG) record_marks(data, size);
  }
  return syscall(SYS_pwrite64, descriptor, data, size, at);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) {
  return do_pwrite(descriptor, data, size, at);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t at) {
  return do_pwrite(descriptor, data, size, at);
}

static int do_sync(long call, int descriptor) {
  enum file_kind file = recording ? file_of(descriptor) : FILE_OTHER;
  int number = sync_count++, heard = file != FILE_OTHER && !hide_syncs;
  if (heard) record(EVENT_SYNC_BEGIN, file, 0, 0, -1, number);
  int result = (int)syscall(call, descriptor);
  if (heard && result == 0) record(EVENT_SYNC_END, file, 0, 0, -1, number);
  return result;
}

int fdatasync(int descriptor) { return do_sync(SYS_fdatasync, descriptor); }
int fsync(int descriptor) { return do_sync(SYS_fsync, descriptor); }

static int do_truncate(int descriptor, off_t size) {
  enum file_kind file = recording ? file_of(descriptor) : FILE_OTHER;
  if (file != FILE_OTHER) record(EVENT_TRUNCATE, file, size, 0, -1, 0);
  return (int)syscall(SYS_ftruncate, descriptor, size);
}

int ftruncate(int descriptor, off_t size) { return do_truncate(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) { return do_truncate(descriptor, size); }

int msync(void *address, size_t size, int flags) {
  /* The database is not mapped; a sync that came this way would be one that we do not know. */
  record(EVENT_SYNC_BEGIN, FILE_OTHER, 0, 0, -1, -1);
  return (int)syscall(SYS_msync, address, size, flags);
}

/* ----------------------------------------------------------------------------------------- checker -- */

typedef struct finding {
  int acknowledged, unsynced, unwritten;
  int log_syncs, checkpoint_log_syncs, database_syncs;
  int log_writes, log_header_writes, database_writes, checkpoints;
} finding;

/* For every acknowledged mark: its last write to the log, then a sync that begins after it, and ends before
   the acknowledgement. Single: with one thread, the last write of any sort must be synced as well. */
static finding judge(int single) {
  static int written_at[MARKS_MAX];
  finding f;
  int count = event_count, last_write = -1, last_is_header = 0, in_checkpoint = 0, synced = 0;
  memset(&f, 0, sizeof f);
  memset(written_at, -1, sizeof written_at);
  /* begun[i]: where the sync with number i began, and where the latest complete one did */
  int *begun = calloc((size_t)sync_count + 1, sizeof *begun), latest_begin = -1;
  NEED(begun);
  for (int i = 0; i < count; i++) {
    const event *e = &events[i];
    switch (e->kind) {
      case EVENT_WRITE:
        if (e->file == FILE_LOG) {
          last_write = i;
          last_is_header = e->at == 0 && e->size == 32;
          f.log_writes++;
          f.log_header_writes += last_is_header;
          in_checkpoint = 0;
          synced = 0;
        } else {
          f.database_writes++;
          f.checkpoints += !in_checkpoint;
          in_checkpoint = 1;
        }
        break;
      case EVENT_MARK: written_at[e->mark] = i; break;
      case EVENT_SYNC_BEGIN:
        if (e->number >= 0) begun[e->number] = i;
        break;
      case EVENT_SYNC_END:
        if (e->file == FILE_LOG) {
          if (begun[e->number] > latest_begin) latest_begin = begun[e->number];
          /* A checkpoint syncs the log again, and SQLite syncs the header of a log that begins anew. */
          if (last_is_header || synced) f.checkpoint_log_syncs++;
          else f.log_syncs++;
          synced = 1;
        } else {
          f.database_syncs++;
        }
        break;
      case EVENT_TRUNCATE: break;
      case EVENT_ACKNOWLEDGED: {
        int write = written_at[e->mark];
        f.acknowledged++;
        if (write < 0) f.unwritten++;
        else if (latest_begin < (single ? last_write : write)) f.unsynced++;
        break;
      }
    }
  }
  free(begun);
  return f;
}

static memex_store *open_new(const char *name, const char *durability, memex_thread **thread) {
  char config[500], more[60];
  memex_store *store = NULL;
  snprintf(more, sizeof more, ",\"durability\":\"%s\"", durability);
  abi_config(config, sizeof config, name, more);
  NEED(memex_store_open(config, MEMEX_NTS, &store, NULL) == MEMEX_OK);
  NEED(memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, thread, NULL) == MEMEX_OK);
  return store;
}

static void start_recording(void) {
  event_count = sync_count = 0;
  for (int i = 0; i < MARKS_MAX; i++) marked[i] = 0;
  recording = 1;
}

static void append_marked(memex_thread *thread, int mark, int batch, const char *padding) {
  char body[9000];
  memex_status status;
  if (batch) {
    size_t at = 0;
    for (int i = 0; i < batch; i++)
      at += (size_t)snprintf(body + at, sizeof body - at, "%c{\"role\":\"user\",\"content\":\"MARK-%06d\"}",
                             i ? ',' : '[', mark);
    body[at++] = ']';
    status = memex_thread_append(thread, body, at, NULL, 0, NULL, NULL);
  } else {
    int n = snprintf(body, sizeof body, "MARK-%06d %s", mark, padding);
    status = memex_thread_append_text(thread, "user", 4, body, (size_t)n, NULL, 0, NULL, NULL);
  }
  record(EVENT_ACKNOWLEDGED, FILE_OTHER, 0, 0, mark, 0);
  if (status) EXPECT_STATUS(status, MEMEX_OK);
}

/* One thread: `count` appends. */
static finding one_by_one(const char *name, const char *durability, int count, int batch) {
  char padding[600];
  memex_thread *thread = NULL;
  memex_store *store = open_new(name, durability, &thread);
  memset(padding, 'p', sizeof padding - 1);
  padding[sizeof padding - 1] = 0;
  append_marked(thread, 0, 0, "before");
  start_recording();
  for (int i = 1; i <= count; i++) append_marked(thread, i, batch, padding + i % 500);
  recording = 0;
  memex_thread_free(thread);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  return judge(1);
}

typedef struct work {
  memex_thread *thread;
  int first, count;
} work;

static void *append_work(void *argument) {
  const work *w = argument;
  for (int i = 0; i < w->count; i++) append_marked(w->thread, w->first + i, 0, "together");
  return NULL;
}

static finding together(const char *name, int threads, int each) {
  pthread_t running[64];
  work list[64];
  memex_thread *thread = NULL;
  memex_store *store = open_new(name, "full", &thread);
  start_recording();
  for (int i = 0; i < threads; i++) {
    list[i] = (work){thread, 1 + i * each, each};
    NEED(pthread_create(&running[i], NULL, append_work, &list[i]) == 0);
  }
  for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
  recording = 0;
  memex_thread_free(thread);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  return judge(0);
}

static void tell(const char *what, const finding *f) {
  printf("%-34s %5d appends: %5d log syncs (%.3f each), %.1f log writes each; %d checkpoints with "
         "%d syncs of the database and %d of the log\n",
         what, f->acknowledged, f->log_syncs, (double)f->log_syncs / f->acknowledged,
         (double)f->log_writes / f->acknowledged, f->checkpoints, f->database_syncs, f->checkpoint_log_syncs);
}

/* Every commit, not only appends, is synced before it is acknowledged. */
static void other_writes(void) {
  memex_thread *thread = NULL, *fork = NULL, *made = NULL;
  memex_store *store = open_new("others.db", "full", &thread);
  memex_message *message = NULL;
  memex_txn *txn = NULL;
  static const char *const names[] = {"create", "update", "replace", "metadata", "delete",
                                      "fork",   "commit", "delete a thread"};
  append_marked(thread, 1, 0, "x");
  append_marked(thread, 2, 0, "x");
  NEED(memex_message_at(thread, 1, &message, NULL) == MEMEX_OK);
  for (int i = 0; i < 8; i++) {
    memex_thread *inside = NULL;
    memex_status status = MEMEX_E_INTERNAL;
    if (i == 6) {
      NEED(memex_txn_begin(store, NULL, 0, &txn, NULL) == MEMEX_OK);
      NEED(memex_thread_open(memex_txn_store(txn), "t", 1, &inside, NULL) == MEMEX_OK);
      memex_thread_append_text(inside, "user", 4, "MARK-000009", 11, NULL, 0, NULL, NULL);
    }
    start_recording();
    switch (i) {
      case 0: status = memex_thread_create(store, "{\"id\":\"n\"}", MEMEX_NTS, &made, NULL); break;
      case 1: status = memex_thread_update(thread, "{\"title\":\"x\"}", MEMEX_NTS, NULL, 0, NULL, NULL); break;
      case 2: status = memex_message_replace(message, "{\"role\":\"user\",\"content\":\"y\"}", MEMEX_NTS, NULL, 0,
                                             NULL); break;
      case 3: status = memex_message_update_metadata(message, "{\"a\":1}", MEMEX_NTS, NULL, 0, NULL); break;
      case 4: status = memex_message_delete(message, NULL, 0, NULL); break;
      case 5: status = memex_thread_fork(thread, NULL, 0, &fork, NULL); break;
      case 6: status = memex_txn_commit(txn, NULL, NULL); break;
      default: status = memex_thread_delete(store, "n", 1, NULL, 0, NULL); break;
    }
    recording = 0;
    memex_thread_free(inside);
    int last_write = -1, begin = -1, end = -1, count = event_count;
    for (int j = 0; j < count; j++) {
      if (events[j].kind == EVENT_WRITE && events[j].file == FILE_LOG) last_write = j;
      if (events[j].kind == EVENT_SYNC_BEGIN && events[j].file == FILE_LOG) begin = j;
      if (events[j].kind == EVENT_SYNC_END && events[j].file == FILE_LOG) end = j;
    }
    EXPECT(status == MEMEX_OK && last_write >= 0 && begin > last_write && end > begin,
           "%s: %s, last write %d, sync from %d to %d", names[i], memex_status_name(status), last_write, begin, end);
  }
  memex_message_free(message);
  memex_thread_free(fork);
  memex_thread_free(made);
  memex_thread_free(thread);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
}

int main(void) {
  enum { SINGLE = 3000, BATCHES = 200, EACH = 250 };
  abi_make_folder();
  events = malloc(sizeof *events * (size_t)EVENTS_MAX);
  NEED(events);

  abi_watch("one append after another, full", 60);
  finding f = one_by_one("full.db", "full", SINGLE, 0);
  tell("full, one after another", &f);
  EXPECT(f.acknowledged == SINGLE && f.unwritten == 0, "%d of %d appends wrote no log", f.unwritten, SINGLE);
  EXPECT(f.unsynced == 0, "%d appends were acknowledged before the sync", f.unsynced);
  EXPECT(f.log_syncs == SINGLE, "%d syncs of the log for %d appends", f.log_syncs, SINGLE);
  EXPECT(f.checkpoints >= 1 && f.database_syncs <= f.checkpoints && f.checkpoint_log_syncs <= 2 * f.checkpoints,
         "%d checkpoints made %d syncs of the database and %d of the log", f.checkpoints, f.database_syncs,
         f.checkpoint_log_syncs);

  abi_watch("ten messages an append, full", 60);
  f = one_by_one("batch.db", "full", BATCHES, 10);
  tell("full, ten messages an append", &f);
  EXPECT(f.unwritten == 0 && f.unsynced == 0, "%d unwritten, %d unsynced", f.unwritten, f.unsynced);
  EXPECT(f.log_syncs == BATCHES, "%d syncs of the log for %d appends", f.log_syncs, BATCHES);

  abi_watch("eight threads, full", 60);
  f = together("together.db", 8, EACH);
  tell("full, eight threads", &f);
  EXPECT(f.acknowledged == 8 * EACH && f.unwritten == 0, "%d unwritten", f.unwritten);
  EXPECT(f.unsynced == 0, "%d appends were acknowledged before the sync", f.unsynced);
  EXPECT(f.log_syncs < f.acknowledged, "%d syncs for %d appends of 8 threads", f.log_syncs, f.acknowledged);

  abi_watch("writes that are no appends, full", 60);
  other_writes();

  abi_watch("control: durability normal", 60);
  f = one_by_one("normal.db", "normal", 300, 0);
  tell("normal (control)", &f);
  EXPECT(f.unsynced == 300, "only %d of 300 appends are seen to be unsynced", f.unsynced);
  EXPECT(f.log_syncs == 0, "%d syncs of the log", f.log_syncs);

  abi_watch("control: syncs taken out", 60);
  hide_syncs = 1;
  f = one_by_one("hidden.db", "full", 300, 0);
  tell("full, syncs taken out (control)", &f);
  EXPECT(f.unsynced == 300, "only %d of 300 appends are seen to be unsynced", f.unsynced);
  free(events);
  return abi_finish();
}
