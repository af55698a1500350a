# Sourced by the launcher and by mvnw: sets JAVA_HOME to a JDK 25 or later, or says what to install.
# A JAVA_HOME of the user's comes first; then the usual folders of Debian, macOS, SDKMAN and others.

jdk_major() { # the major version of the JDK in folder $1, or nothing
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

find_jdk25() {
  for home in "${JAVA_HOME:-}" "${JAVA_HOME_25_X64:-}" "${JAVA_HOME_25_ARM64:-}" \
    /usr/lib/jvm/* /usr/java/* /opt/*jdk* /opt/java/* "$HOME"/.jdks/* "$HOME"/.m2/jdks/* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.local/share/mise/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    [ -n "$home" ] || continue
    major=$(jdk_major "$home")
    if [ -n "$major" ] && [ "$major" -ge 25 ]; then
      JAVA_HOME=$home
      export JAVA_HOME
      return 0
    fi
  done
  echo "vllm-mlx needs a JDK 25 or later and found none." >&2
  echo "Install one (Debian: apt install temurin-25-jdk or openjdk-25-jdk; macOS: brew install openjdk)," >&2
  echo "or set JAVA_HOME to its folder." >&2
  return 1
}
