package dev.vllmmlx.mcp.tool;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** What came of a call. Each kind has a text that a model can be told as the tool's result. */
public sealed interface ToolOutcome {

  /** What the model is told. Data, whatever it says: never instructions of ours. */
  String text();

  /** Whether the model is told of a failure. */
  default boolean isError() {
    return true;
  }

  /** In the log and in metrics. */
  String kind();

  /**
   * The tool answered.
   *
   * @param text what it said, cut to the policy's length
   * @param structured its structured content, if it is short enough, as plain values of JSON's
   *     types
   * @param isError whether the tool says that it failed
   * @param truncated whether the text was cut
   */
  record Result(String text, Optional<Object> structured, boolean isError, boolean truncated)
      implements ToolOutcome {
    public Result {
      Objects.requireNonNull(text);
      Objects.requireNonNull(structured);
    }

    @Override
    public String kind() {
      return isError ? "tool_error" : "ok";
    }
  }

  /** It was not run: there is no such tool, its arguments do not fit, or a limit is reached. */
  record Refused(String reason) implements ToolOutcome {
    public Refused {
      Objects.requireNonNull(reason);
    }

    @Override
    public String text() {
      return "Error: the call was not made: " + reason;
    }

    @Override
    public String kind() {
      return "refused";
    }
  }

  /** The server could not be asked, or did not answer as it should. */
  record Failed(String reason) implements ToolOutcome {
    public Failed {
      Objects.requireNonNull(reason);
    }

    @Override
    public String text() {
      return "Error: the call failed: " + reason;
    }

    @Override
    public String kind() {
      return "failed";
    }
  }

  /** Nobody waits for it any more. */
  record Cancelled() implements ToolOutcome {
    @Override
    public String text() {
      return "Error: the call was cancelled.";
    }

    @Override
    public String kind() {
      return "cancelled";
    }
  }

  /** It took too long. */
  record TimedOut(Duration after) implements ToolOutcome {
    public TimedOut {
      Objects.requireNonNull(after);
    }

    @Override
    public String text() {
      return "Error: the tool did not answer within %s seconds."
          .formatted(Math.round(after.toMillis() / 100.0) / 10.0);
    }

    @Override
    public String kind() {
      return "timed_out";
    }
  }
}
