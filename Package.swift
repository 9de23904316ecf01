// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The Makefile sets MEMEX_DIST for the library that is shipped. A manifest that carries unsafe flags
// cannot be anyone's dependency, so without it there are none.
let distribution = Context.environment["MEMEX_DIST"] == "1"
let sanitized = Context.environment["MEMEX_SANITIZE"] != nil
let strict = Context.environment["MEMEX_STRICT"] == "1"
let root = Context.packageDirectory

let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
    + (distribution
        ? [
            .unsafeFlags([
                "-static-stdlib", "-file-prefix-map", "\(root)=.", "-gnone",
                // Without it each object file carries a hash that depends on the path of the checkout.
                "-Xfrontend", "-disable-incremental-llvm-codegen",
                // Regular expressions, and searching for a String, would add 1.5 MB.
                "-Xfrontend", "-disable-implicit-string-processing-module-import",
            ])
        ] : [])
    + (strict ? [.unsafeFlags(["-warnings-as-errors"])] : [])

let cSettings: [CSetting] =
    distribution
    ? [
        .unsafeFlags([
            "-ffile-prefix-map=\(root)=.", "-g0", "-fstack-protector-strong",
            "-ftrivial-auto-var-init=zero", "-fvisibility=hidden",
        ])
    ] : []

let cxxSettings: [CXXSetting] =
    distribution
    ? [.unsafeFlags(["-ffile-prefix-map=\(root)=.", "-g0", "-fvisibility=hidden"])] : []

let always: [String] = [
    "-soname=libmemex.so.0", "-Bsymbolic", "-z", "relro", "-z", "now", "-z", "nodelete", "-z",
    "noexecstack", "--gc-sections", "--build-id=none",
    "--version-script=" + root + "/tools/memex.map",
]
// Sanitizers bring their own allocator and leave symbols to be resolved by the executable.
let unlessSanitized: [String] = [
    "-z", "defs", "-s", "--wrap=malloc", "--wrap=calloc", "--wrap=realloc", "--wrap=free",
    "--wrap=posix_memalign", "--wrap=aligned_alloc", "--wrap=malloc_usable_size",
    // operator new and delete, plain and aligned: the Swift runtime is C++.
    "--wrap=_Znwm", "--wrap=_ZnwmSt11align_val_t", "--wrap=_ZdlPv", "--wrap=_ZdlPvm",
    "--wrap=_ZdlPvSt11align_val_t", "--wrap=_ZdlPvmSt11align_val_t",
]

func linkerFlags() -> [String] {
    var flags: [String] = ["-static-stdlib", "-use-ld=lld"]
    for flag in always + (sanitized ? [] : unlessSanitized) { flags += ["-Xlinker", flag] }
    return flags
}

let linkerSettings: [LinkerSetting] = distribution ? [.unsafeFlags(linkerFlags())] : []

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

var targets: [Target] = [
    .systemLibrary(name: "CMemex", path: "include"),
    .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .target(
        name: "CMemexShim", cSettings: cSettings, cxxSettings: cxxSettings,
        linkerSettings: [.linkedLibrary("dl"), .linkedLibrary("pthread")]),
    library("MemexModel", ["CJansson", "CMemexShim"]),
    library("MemexStorage", ["MemexModel", "CMemexShim"]),
    library("MemexSQLite", ["MemexStorage", "MemexModel", "CMemexShim"]),
    library("MemexLMDB", ["MemexStorage", "MemexModel", "CMemexShim"]),
    library("MemexFile", ["MemexStorage", "MemexModel", "CMemexShim"]),
    library("MemexPostgreSQL", ["MemexStorage", "MemexModel", "CMemexShim"]),
    library("MemexRedis", ["MemexStorage", "MemexModel", "CMemexShim"]),
    // Its images are read by #embed, which no build system needs to know of.
    .target(name: "CMemexVocabularies", exclude: ["images", "NOTICE"], cSettings: cSettings),
    library("MemexTokens", ["MemexModel", "CMemexShim", "CMemexVocabularies"]),
    library("MemexContext", ["MemexStorage", "MemexTokens", "MemexModel"]),
    library(
        "Memex",
        [
            "MemexContext", "MemexTokens", "MemexSQLite", "MemexLMDB", "MemexFile", "MemexPostgreSQL",
            "MemexRedis", "MemexStorage", "MemexModel", "CMemexShim",
        ]),
    // Its speed is that of the backend that it checks.
    .target(
        name: "MemexConformance", dependencies: ["Memex", "MemexStorage", "MemexModel"],
        swiftSettings: swiftSettings + (distribution ? [.unsafeFlags(["-Osize"])] : [])),
    library(
        "MemexABI",
        [
            "MemexConformance", "Memex", "MemexStorage", "MemexContext", "MemexTokens", "MemexModel",
            "CMemex", "CMemexShim",
        ]),
    .target(
        name: "MemexLibrary", dependencies: ["MemexABI"], swiftSettings: swiftSettings,
        linkerSettings: linkerSettings),
]

// A source distribution has no Tests folder.
if FileManager.default.fileExists(atPath: "\(root)/Tests") && !distribution {
    targets += [
        .target(
            name: "MemexTestSupport",
            dependencies: ["MemexConformance", "Memex", "MemexStorage", "MemexModel"],
            path: "Tests/MemexTestSupport", swiftSettings: swiftSettings),
        // Makes the images of the built-in vocabularies; `make generate-vocabularies` runs it.
        .executableTarget(
            name: "VocabularyImages", dependencies: ["MemexTokens", "MemexModel"],
            path: "Tests/VocabularyImages",
            swiftSettings: swiftSettings),
        tests(
            "MemexTokensTests",
            ["MemexTokens", "MemexConformance", "MemexModel", "MemexTestSupport"]),
        tests("MemexModelTests", ["MemexModel", "CJansson", "MemexTestSupport"]),
        tests("MemexStorageTests", ["MemexStorage", "MemexModel", "MemexTestSupport"]),
        tests("MemexSQLiteTests", ["MemexSQLite", "MemexStorage", "MemexModel", "MemexTestSupport"]),
        tests("MemexLMDBTests", ["MemexLMDB", "MemexStorage", "MemexModel", "MemexTestSupport"]),
        tests("MemexFileTests", ["MemexFile", "MemexStorage", "MemexModel", "MemexTestSupport"]),
        tests(
            "MemexPostgreSQLTests",
            ["MemexPostgreSQL", "Memex", "MemexStorage", "MemexModel", "CMemexShim", "MemexTestSupport"]),
        tests(
            "MemexRedisTests",
            ["MemexRedis", "Memex", "MemexStorage", "MemexModel", "CMemexShim", "MemexTestSupport"]),
        tests(
            "MemexContextTests",
            ["MemexContext", "MemexStorage", "MemexTokens", "MemexModel", "MemexTestSupport"]),
        tests(
            "MemexTests",
            [
                "Memex", "MemexConformance", "MemexContext", "MemexStorage", "MemexTokens", "MemexModel",
                "MemexTestSupport",
            ]),
        tests(
            "MemexABITests", ["MemexABI", "MemexModel", "CMemex", "CMemexShim", "MemexTestSupport"]),
    ].filter { FileManager.default.fileExists(atPath: "\(root)/Tests/\($0.name)") }
}

let package = Package(
    name: "memex",
    products: [
        .library(name: "memex", type: .dynamic, targets: ["MemexLibrary"]),
        .library(name: "Memex", targets: ["Memex"]),
    ],
    targets: targets,
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
)
