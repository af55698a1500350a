package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.Job;
import dev.vllmmlx.mlx.sequence.Sequence;
import dev.vllmmlx.spi.EngineException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A request that is being computed: its sequence and where its keys and values are. */
final class Row {
  private static final Logger LOG = LoggerFactory.getLogger(Row.class);

  /** Who comes first: of the highest priority, of one priority the one that came first. */
  static final Comparator<Row> RANK =
      Comparator.comparing((Row row) -> -row.priority()).thenComparing(row -> row.job.ticket());

  private final Job job;
  private final Sequence sequence;
  private final long since = System.nanoTime();

  /** Other answers to the same prompt, which wait for this one to compute it. */
  private final List<Row> followers = new ArrayList<>();

  private SequenceKv kv;

  /** Whether anything of it was computed. */
  private boolean begun;

  /** Whether more of its beginning may come from a disk. */
  private boolean loading;

  Row(Job job) {
    this.job = job;
    this.sequence = job.sequence();
  }

  Job job() {
    return job;
  }

  Sequence sequence() {
    return sequence;
  }

  List<Row> followers() {
    return followers;
  }

  /** Its followers, who go their own ways from now on. */
  List<Row> takeFollowers() {
    var all = List.copyOf(followers);
    followers.clear();
    return all;
  }

  /** Higher goes first. */
  int priority() {
    return job.request().priority();
  }

  /** Who asked. */
  String tenant() {
    return job.request().tenant();
  }

  /** Null while it has no memory. */
  SequenceKv kv() {
    return kv;
  }

  /** When it was taken up, by {@link System#nanoTime}. */
  long since() {
    return since;
  }

  /** Takes memory, which may hold a beginning of it already. */
  void begin(SequenceKv kv) {
    this.kv = kv;
    loading = true;
    found();
  }

  /** Whether its next tokens come from a disk, so that they are not to be computed. */
  boolean loads() {
    if (loading) {
      loading = kv.load(tokens());
      found();
    }
    return loading;
  }

  /** So much of it was cached. */
  private void found() {
    if (!begun && !answered()) {
      sequence.begin(Math.min(kv.length(), sequence.promptLength()));
    }
    job.computed(kv.length());
  }

  /** A step has computed its next tokens. */
  void appended(Chunk chunk) {
    begun = true;
    kv.appended(chunk.tokens());
    job.computed(kv.length());
  }

  /** Ends it by a fault, which is its own. */
  void fail(Throwable e) {
    LOG.error("request {} failed", job.request().id(), e);
    sequence.fail(
        e instanceof EngineException known
            ? known
            : new EngineException.Internal("the model could not compute this request", e));
  }

  /** Gives its memory up, and may begin again. */
  void release() {
    if (kv != null) {
      kv.release();
      kv = null;
    }
  }

  /** Gives its memory up where it may be broken. */
  void discard() {
    if (kv != null) {
      kv.discard();
      kv = null;
    }
  }

  /** All tokens so far, in a new array. */
  int[] tokens() {
    return sequence.tokens(0, sequence.length());
  }

  /** Tokens that are not computed yet. */
  int missing() {
    return sequence.length() - kv.length();
  }

  /** Whether one token is missing, so that each step gives the next. */
  boolean decodes() {
    return missing() == 1 && answered();
  }

  /** Whether it has a token of its answer. */
  boolean answered() {
    return sequence.length() > sequence.promptLength();
  }

  /** Its next tokens as a part of a step. */
  Chunk chunk(int count) {
    var from = kv.length();
    return new Chunk(this, sequence.tokens(from, from + count), count == missing());
  }

  /** Whether another row answers the same prompt of the same request. */
  boolean answersWith(Row other) {
    return job.request().id().equals(other.job.request().id())
        && sequence.promptLength() == other.sequence.promptLength();
  }
}
