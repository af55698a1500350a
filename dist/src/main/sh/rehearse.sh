# Sourced by the launcher for `vllm-mlx rehearse [MODEL]`: runs the command in a JVM that records what it loads, links and
# compiles, and writes the ahead-of-time cache from it. Without a MODEL it takes the tiny one of the distribution.

rehearse() {
  folder=$(dirname "$cache")
  if ! mkdir -p "$folder" 2>/dev/null || ! [ -w "$folder" ]; then
    echo "vllm-mlx: cannot write to $folder: rehearse as the user who owns the installation" >&2
    return 1
  fi
  [ $# -gt 1 ] || set -- rehearse "$app/rehearsal.gguf"
  fresh=$cache.$$
  log=$folder/rehearsal.log
  # shellcheck disable=SC2086
  if "$JAVA_HOME/bin/java" $java_options $cache_options ${VLLM_MLX_JAVA_OPTS:-} "-XX:AOTCacheOutput=$fresh" \
    -cp "${classpath#:}" dev.vllmmlx.gateway.cli.Main "$@" >"$log" 2>&1 && [ -s "$fresh" ]; then
    rm -f "$folder"/*.aot
    mv "$fresh" "$cache"
    echo "vllm-mlx: rehearsed; later starts use $cache"
  else
    rm -f "$fresh" "$fresh.config"
    cat "$log" >&2
    echo "vllm-mlx: the rehearsal failed; starts work as before" >&2
    return 1
  fi
}
