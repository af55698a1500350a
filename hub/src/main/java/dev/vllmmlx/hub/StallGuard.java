package dev.vllmmlx.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/**
 * A response body that does not wait for ever: if no byte arrives for some time, it is closed, and
 * the read that waits fails. The client's own timeout ends with the response's headers.
 */
final class StallGuard extends FilterInputStream {
  private final Duration timeout;
  private final Thread watch;
  private volatile long lastByteNanos = System.nanoTime();
  private volatile boolean stalled;

  StallGuard(InputStream body, Duration timeout) {
    super(body);
    this.timeout = timeout;
    this.watch = Thread.ofVirtual().name("hub-stall-guard").start(this::watch);
  }

  private void watch() {
    try {
      while (true) {
        var left = timeout.toNanos() - (System.nanoTime() - lastByteNanos);
        if (left <= 0) {
          stalled = true;
          in.close();
          return;
        }
        Thread.sleep(Duration.ofNanos(left));
      }
    } catch (InterruptedException | IOException _) {
      // Closed by its reader, or by us.
    }
  }

  @Override
  public int read() throws IOException {
    var one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    try {
      var count = in.read(buffer, offset, length);
      if (count < 0 && stalled) {
        throw stall(null);
      }
      lastByteNanos = System.nanoTime();
      return count;
    } catch (IOException e) {
      throw stalled ? stall(e) : e;
    }
  }

  private IOException stall(IOException cause) {
    return new IOException("no byte came for %d s".formatted(timeout.toSeconds()), cause);
  }

  @Override
  public void close() throws IOException {
    watch.interrupt();
    super.close();
  }
}
