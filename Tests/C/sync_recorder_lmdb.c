/* The syncs before every acknowledgement, of an LMDB store. LMDB writes the pages of a commit, syncs them, and
   then writes the page that makes them valid through a descriptor that is synced with every write. This program
   brings its own pwrite, writev, fdatasync, fsync and msync, as sync_recorder.c does, and proves for every append:
   first its pages, then a sync that began after them, then a synced meta page, then the acknowledgement. It is
   turned red twice: by durability "normal", and by a disk whose syncs are taken out of the record. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "abi_support.h"

enum event_kind { EVENT_MARK, EVENT_SYNC_BEGIN, EVENT_SYNC_END, EVENT_META, EVENT_ACKNOWLEDGED };

typedef struct event {
  enum event_kind kind;
  int number; /* of a mark, or of a sync */
} event;

enum { EVENTS_MAX = 1000000, MARKS_MAX = 100000 };

static event *events;
static _Atomic int recording, event_count, sync_count;
static _Atomic unsigned char marked[MARKS_MAX];
static int hide_syncs;

/* ---------------------------------------------------------------------------------------- recorder -- */

static void record(enum event_kind kind, int number) {
  if (!recording) return;
  int place = event_count++;
  if (place >= EVENTS_MAX) abort();
  events[place] = (event){kind, number};
}

static int is_data(int descriptor) {
  char link[40], path[500];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  size_t length = strlen(path);
  return length > 9 && strcmp(path + length - 9, "/data.mdb") == 0;
}

/* Marks are "MARK-000123" in the content of a message; pages are copied on write, so the first time counts. */
static void record_marks(const void *data, size_t size) {
  const char *at = data, *end = at + size;
  while ((at = memmem(at, (size_t)(end - at), "MARK-", 5)) && end - at >= 11) {
    int mark = atoi(at + 5);
    if (mark >= 0 && mark < MARKS_MAX && !marked[mark]) {
      marked[mark] = 1;
      record(EVENT_MARK, mark);
    }
    at += 11;
  }
}

static ssize_t do_pwrite(int descriptor, const void *data, size_t size, off_t at) {
  int ours = recording && is_data(descriptor);
  int meta = ours && (fcntl(descriptor, F_GETFL) & O_DSYNC) && at < 8192;
  if (ours && !meta) record_marks(data, size);
  ssize_t written = syscall(SYS_pwrite64, descriptor, data, size, at);
  if (meta && !hide_syncs && written == (ssize_t)size) record(EVENT_META, 0);
  return written;
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) { return do_pwrite(descriptor, data, size, at); }
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t at) {
  return do_pwrite(descriptor, data, size, at);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  if (recording && is_data(descriptor))
    for (int i = 0; i < count; i++) record_marks(parts[i].iov_base, parts[i].iov_len);
  return syscall(SYS_writev, descriptor, parts, count);
}

static int do_sync(long call, int descriptor) {
  int number = sync_count++, heard = recording && is_data(descriptor) && !hide_syncs;
  if (heard) record(EVENT_SYNC_BEGIN, number);
  int result = (int)syscall(call, descriptor);
  if (heard && result == 0) record(EVENT_SYNC_END, number);
  return result;
}

int fdatasync(int descriptor) { return do_sync(SYS_fdatasync, descriptor); }
int fsync(int descriptor) { return do_sync(SYS_fsync, descriptor); }
int msync(void *address, size_t size, int flags) { return (int)syscall(SYS_msync, address, size, flags); }

/* ----------------------------------------------------------------------------------------- checker -- */

typedef struct finding {
  int acknowledged, unwritten, unsynced, syncs, metas;
} finding;

static finding judge(void) {
  static int written_at[MARKS_MAX];
  finding f = {0, 0, 0, 0, 0};
  int count = event_count;
  /* valid_from: where the latest sync began whose meta page is durable */
  int *begun = calloc((size_t)sync_count + 1, sizeof *begun), synced_from = -1, valid_from = -1;
  NEED(begun);
  memset(written_at, -1, sizeof written_at);
  for (int i = 0; i < count; i++) {
    const event *e = &events[i];
    switch (e->kind) {
      case EVENT_MARK: written_at[e->number] = i; break;
      case EVENT_SYNC_BEGIN: begun[e->number] = i; break;
      case EVENT_SYNC_END:
        f.syncs++;
        if (begun[e->number] > synced_from) synced_from = begun[e->number];
        break;
      case EVENT_META:
        f.metas++;
        valid_from = synced_from;
        break;
      case EVENT_ACKNOWLEDGED: {
        int write = written_at[e->number];
        f.acknowledged++;
        if (write < 0) f.unwritten++;
        else if (valid_from < write) f.unsynced++;
        break;
      }
    }
  }
  free(begun);
  return f;
}

static memex_store *open_new(const char *name, const char *durability, memex_thread **thread) {
  char config[700];
  memex_store *store = NULL;
  snprintf(config, sizeof config, "{\"url\":\"lmdb:///%s/%s\",\"durability\":\"%s\"}", abi_folder, name, durability);
  NEED(memex_store_open(config, MEMEX_NTS, &store, NULL) == MEMEX_OK);
  NEED(memex_thread_create(store, "{\"id\":\"t\"}", MEMEX_NTS, thread, NULL) == MEMEX_OK);
  return store;
}

static void append_marked(memex_thread *thread, int mark, size_t padding) {
  char text[7000];
  int n = snprintf(text, sizeof text, "MARK-%06d ", mark);
  memset(text + n, 'p', padding);
  memex_status status =
      memex_thread_append_text(thread, "user", 4, text, (size_t)n + padding, NULL, 0, NULL, NULL);
  record(EVENT_ACKNOWLEDGED, mark);
  if (status) EXPECT_STATUS(status, MEMEX_OK);
}

static void start_recording(void) {
  event_count = sync_count = 0;
  for (int i = 0; i < MARKS_MAX; i++) marked[i] = 0;
  recording = 1;
}

typedef struct work {
  memex_thread *thread;
  int first, count;
} work;

static void *append_work(void *argument) {
  const work *w = argument;
  /* Long ones lie on pages of their own. */
  for (int i = 0; i < w->count; i++) append_marked(w->thread, w->first + i, i % 10 == 9 ? 6000 : (size_t)i % 500);
  return NULL;
}

static finding run(const char *name, const char *durability, int threads, int each) {
  pthread_t running[64];
  work list[64];
  memex_thread *thread = NULL;
  memex_store *store = open_new(name, durability, &thread);
  start_recording();
  for (int i = 0; i < threads; i++) {
    list[i] = (work){thread, 1 + i * each, each};
    NEED(pthread_create(&running[i], NULL, append_work, &list[i]) == 0);
  }
  for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
  recording = 0;
  memex_thread_free(thread);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  finding f = judge();
  printf("%-24s %d threads, %5d appends: %5d syncs (%.2f appends each), %5d meta pages\n", name, threads,
         f.acknowledged, f.syncs, f.syncs ? (double)f.acknowledged / f.syncs : 0.0, f.metas);
  EXPECT(f.acknowledged == threads * each && f.unwritten == 0, "%d of %d appends wrote nothing", f.unwritten,
         f.acknowledged);
  return f;
}

int main(void) {
  enum { SINGLE = 1500, EACH = 250 };
  abi_make_folder();
  events = malloc(sizeof *events * (size_t)EVENTS_MAX);
  NEED(events);

  abi_watch("one append after another, full", 60);
  finding f = run("full", "full", 1, SINGLE);
  EXPECT(f.unsynced == 0, "%d appends were acknowledged before the sync", f.unsynced);
  EXPECT(f.syncs == SINGLE && f.metas == SINGLE, "%d syncs and %d meta pages for %d appends", f.syncs, f.metas,
         SINGLE);

  abi_watch("eight threads, full", 60);
  f = run("together", "full", 8, EACH);
  EXPECT(f.unsynced == 0, "%d appends were acknowledged before the sync", f.unsynced);
  EXPECT(f.syncs < f.acknowledged, "%d syncs for %d appends of 8 threads", f.syncs, f.acknowledged);

  abi_watch("control: durability normal", 60);
  f = run("normal", "normal", 1, 300);
  EXPECT(f.unsynced == 300 && f.metas == 0, "only %d of 300 appends are seen to be unsynced", f.unsynced);

  abi_watch("control: syncs taken out", 60);
  hide_syncs = 1;
  f = run("hidden", "full", 1, 300);
  EXPECT(f.unsynced == 300, "only %d of 300 appends are seen to be unsynced", f.unsynced);
  free(events);
  return abi_finish();
}
