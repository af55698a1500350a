package dev.vllmmlx.cache.disk;

/**
 * What a {@link DiskStore} has and has done since its start; blocks unless it says otherwise.
 *
 * @param files in the folder, as far as this process knows
 * @param bytes of them
 * @param written to files
 * @param read from files into the pool
 * @param lost left the pool without a file, since the disk was too slow
 * @param refused files that were damaged or not what their name says
 * @param failed writes that failed
 * @param evicted files that went because of the limit
 */
public record DiskFigures(
    long files,
    long bytes,
    long written,
    long read,
    long lost,
    long refused,
    long failed,
    long evicted) {}
