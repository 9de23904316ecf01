internal import CMemexShim
internal import MemexFile
internal import MemexLMDB
internal import MemexModel
internal import MemexPostgreSQL
internal import MemexRedis
internal import MemexSQLite
internal import MemexStorage
#if canImport(Glibc)
    internal import Glibc
#endif

/// From a URL to its engine.
enum EngineOpener {
    static func open(_ options: StoreOptions, _ environment: Environment) throws(MemexError)
        -> any StorageEngine
    {
        switch options.target {
        case .memory where !options.create:
            throw MemexError(
                .notFound, "a private store in memory is always new, and it is not to be created")
        case .memory: return try memoryEngine(environment: environment)
        case .sharedMemory(let name): return try SharedMemory.open(name, create: options.create, environment)
        case .sqliteMemory: return try SQLiteEngines.open(sqlite(nil, options, environment))
        case .sqlite(let path): return try SQLiteEngines.open(sqlite(path, options, environment))
        case .lmdb(let path): return try LMDBEngines.open(lmdb(path, options, environment))
        case .file(let path): return try FileEngines.open(file(path, options, environment))
        case .postgresql:
            var engine = PostgreSQLEngine.Options(url: options.url)
            engine.readOnly = options.readOnly
            engine.create = options.create
            engine.isFullyDurable = options.isFullyDurable
            engine.timeout = options.timeout
            engine.isInterruptible = options.isInterruptible
            engine.environment = environment
            return try PostgreSQLEngine(engine)
        case .redis:
            var engine = RedisEngine.Options(url: options.url)
            engine.readOnly = options.readOnly
            engine.create = options.create
            engine.isFullyDurable = options.isFullyDurable
            engine.timeout = options.timeout
            engine.isInterruptible = options.isInterruptible
            engine.environment = environment
            return try RedisEngine.open(engine)
        case .custom(let scheme):
            guard let factory = BackendRegistry.factory(scheme) else {
                throw MemexError.invalid(
                    path: "/url",
                    "names no backend that is built in or registered; known are memory, sqlite, lmdb, file, "
                        + "postgresql, redis"
                        + BackendRegistry.names.map { ", " + $0 }.joined())
            }
            guard options.create else {
                throw MemexError(
                    .unsupported, "/create: a registered backend cannot say whether a store exists",
                    detailMembers: "\"path\":\"/create\"")
            }
            return try factory.open(url: options.url)
        }
    }

    private static func sqlite(_ path: String?, _ options: StoreOptions, _ environment: Environment)
        -> SQLiteEngine.Options
    {
        var result = SQLiteEngine.Options(path: path)
        result.readOnly = options.readOnly
        result.create = options.create
        result.isFullyDurable = options.isFullyDurable
        result.timeout = options.timeout
        result.isInterruptible = options.isInterruptible
        result.environment = environment
        result.fallbackLibrary = siblingOfThisLibrary("libsqlite3.so.0")
        return result
    }

    private static func lmdb(_ path: String, _ options: StoreOptions, _ environment: Environment)
        -> LMDBEngines.Options
    {
        var result = LMDBEngines.Options(path: path)
        result.readOnly = options.readOnly
        result.create = options.create
        result.isFullyDurable = options.isFullyDurable
        result.timeout = options.timeout
        result.environment = environment
        result.fallbackLibrary = siblingOfThisLibrary("liblmdb.so.0")
        return result
    }

    private static func file(_ path: String, _ options: StoreOptions, _ environment: Environment)
        -> FileEngines.Options
    {
        var result = FileEngines.Options(path: path)
        result.readOnly = options.readOnly
        result.create = options.create
        result.isFullyDurable = options.isFullyDurable
        result.timeout = options.timeout
        result.environment = environment
        return result
    }

    /// Path of a file in the folder that this library was loaded from.
    private static func siblingOfThisLibrary(_ name: String) -> String? {
        guard let path = memex_shim_library_path() else { return nil }
        let text = String(cString: path)
        guard let slash = text.utf8.lastIndex(of: 0x2F) else { return nil }
        return String(text[...slash]) + name
    }
}
