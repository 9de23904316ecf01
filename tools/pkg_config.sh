#!/usr/bin/env bash
# Prints memex.pc for a prefix and a library folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
number() { sed -n "s/^#define MEMEX_VERSION_$1 //p" include/memex.h; }
cat <<END
prefix=$1
libdir=$2
includedir=\${prefix}/include

Name: memex
Description: The memory of LLM applications: conversations kept for good
Version: $(number MAJOR).$(number MINOR).$(number PATCH)
Libs: -L\${libdir} -lmemex
Cflags: -I\${includedir}
END
