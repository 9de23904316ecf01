#ifndef MEMEX_SHIM_POSTGRESQL_H
#define MEMEX_SHIM_POSTGRESQL_H

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

/* libpq's functions, found at run time. The types are those of libpq-fe.h: the compiler checks them. */
#define MEMEX_SHIM_PQ_FUNCTIONS(X)                                                                      \
  X(libVersion) X(conninfoParse) X(conninfoFree) X(freemem) X(connectStartParams) X(connectPoll)        \
  X(status) X(socket) X(finish) X(errorMessage) X(serverVersion) X(backendPID) X(parameterStatus)       \
  X(sslInUse) X(setnonblocking) X(enterPipelineMode) X(pipelineSync) X(sendQueryParams) X(sendPrepare)  \
  X(sendQueryPrepared) X(flush) X(consumeInput) X(isBusy) X(getResult) X(setSingleRowMode) X(clear)     \
  X(resultStatus) X(resultErrorField) X(ntuples) X(nfields) X(getvalue) X(getlength) X(getisnull)       \
  X(setNoticeReceiver) X(transactionStatus) X(connectionNeedsPassword) X(connectionUsedPassword)

typedef struct memex_shim_pq {
#define MEMEX_SHIM_FIELD(name) __typeof__(&PQ##name) name;
  MEMEX_SHIM_PQ_FUNCTIONS(MEMEX_SHIM_FIELD)
#undef MEMEX_SHIM_FIELD
} memex_shim_pq;

/* Finds the libpq that is in the process already, else the system's. NULL on success, else why there is
   none. */
const char *memex_pq_load(void);

/* Valid after a successful load. */
extern memex_shim_pq memex_shim_pq_functions;
#define MEMEX_SHIM_PQ memex_shim_pq_functions

static inline int memex_pq_version(void) { return MEMEX_SHIM_PQ.libVersion(); }
static inline PQconninfoOption *memex_pq_parse(const char *text, char **error) {
  return MEMEX_SHIM_PQ.conninfoParse(text, error);
}
static inline void memex_pq_free_options(PQconninfoOption *options) { MEMEX_SHIM_PQ.conninfoFree(options); }
static inline void memex_pq_free(void *memory) { MEMEX_SHIM_PQ.freemem(memory); }
/* Begins to connect, silently; NULL when memory ran out. */
PGconn *memex_pq_connect_start(const char *const *keywords, const char *const *values);
static inline PostgresPollingStatusType memex_pq_connect_poll(PGconn *c) { return MEMEX_SHIM_PQ.connectPoll(c); }
static inline int memex_pq_is_bad(PGconn *c) { return MEMEX_SHIM_PQ.status(c) == CONNECTION_BAD; }
static inline int memex_pq_socket(PGconn *c) { return MEMEX_SHIM_PQ.socket(c); }
static inline void memex_pq_finish(PGconn *c) { MEMEX_SHIM_PQ.finish(c); }
static inline const char *memex_pq_error(PGconn *c) { return MEMEX_SHIM_PQ.errorMessage(c); }
static inline int memex_pq_server_version(PGconn *c) { return MEMEX_SHIM_PQ.serverVersion(c); }
static inline int memex_pq_backend(PGconn *c) { return MEMEX_SHIM_PQ.backendPID(c); }
static inline const char *memex_pq_parameter(PGconn *c, const char *name) {
  return MEMEX_SHIM_PQ.parameterStatus(c, name);
}
static inline int memex_pq_is_encrypted(PGconn *c) { return MEMEX_SHIM_PQ.sslInUse(c); }
static inline int memex_pq_needs_password(PGconn *c) {
  return MEMEX_SHIM_PQ.connectionNeedsPassword(c) || MEMEX_SHIM_PQ.connectionUsedPassword(c);
}
/* Nonblocking and in pipeline mode: 1, or 0 when libpq refuses. */
int memex_pq_prepare_connection(PGconn *c);
/* Any address: a value without bytes is not NULL. */
static inline const char *memex_pq_empty(void) { return ""; }
static inline int memex_pq_sync(PGconn *c) { return MEMEX_SHIM_PQ.pipelineSync(c); }
/* Parameters and results are binary. */
static inline int memex_pq_send(PGconn *c, const char *sql, int n, const char *const *values, const int *lengths,
                                const int *formats) {
  return MEMEX_SHIM_PQ.sendQueryParams(c, sql, n, 0, values, lengths, formats, 1);
}
static inline int memex_pq_send_prepare(PGconn *c, const char *name, const char *sql) {
  return MEMEX_SHIM_PQ.sendPrepare(c, name, sql, 0, 0);
}
static inline int memex_pq_send_prepared(PGconn *c, const char *name, int n, const char *const *values,
                                         const int *lengths, const int *formats) {
  return MEMEX_SHIM_PQ.sendQueryPrepared(c, name, n, values, lengths, formats, 1);
}
static inline int memex_pq_flush(PGconn *c) { return MEMEX_SHIM_PQ.flush(c); }
static inline int memex_pq_consume(PGconn *c) { return MEMEX_SHIM_PQ.consumeInput(c); }
static inline int memex_pq_is_busy(PGconn *c) { return MEMEX_SHIM_PQ.isBusy(c); }
static inline PGresult *memex_pq_result(PGconn *c) { return MEMEX_SHIM_PQ.getResult(c); }
static inline int memex_pq_single_rows(PGconn *c) { return MEMEX_SHIM_PQ.setSingleRowMode(c); }
static inline void memex_pq_clear(PGresult *r) { MEMEX_SHIM_PQ.clear(r); }
static inline ExecStatusType memex_pq_result_status(const PGresult *r) { return MEMEX_SHIM_PQ.resultStatus(r); }
static inline const char *memex_pq_field(const PGresult *r, int code) {
  return MEMEX_SHIM_PQ.resultErrorField(r, code);
}
static inline int memex_pq_rows(const PGresult *r) { return MEMEX_SHIM_PQ.ntuples(r); }
static inline const char *memex_pq_value(const PGresult *r, int row, int column) {
  return MEMEX_SHIM_PQ.getvalue(r, row, column);
}
static inline int memex_pq_length(const PGresult *r, int row, int column) {
  return MEMEX_SHIM_PQ.getlength(r, row, column);
}
static inline int memex_pq_is_null(const PGresult *r, int row, int column) {
  return MEMEX_SHIM_PQ.getisnull(r, row, column);
}

#endif
