package dev.vllmmlx.hub;

/**
 * A checkpoint could not be had. The message is meant for the person at the terminal: what was
 * asked, what went wrong, and what helps.
 */
public abstract sealed class HubException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private HubException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What the user wrote is neither a path that exists nor a well-formed id. */
  public static final class InvalidReference extends HubException {
    private static final long serialVersionUID = 1;

    public InvalidReference(String message) {
      super(message, null);
    }
  }

  /** The hub knows no such repository, revision or file (404). */
  public static final class NotFound extends HubException {
    private static final long serialVersionUID = 1;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /** The hub refuses: a private or gated repository, or a bad token (401, 403). */
  public static final class AccessDenied extends HubException {
    private static final long serialVersionUID = 1;

    public AccessDenied(String message) {
      super(message, null);
    }
  }

  /**
   * The network is down, the hub does not answer in time, or it keeps failing. Trying again later
   * may help.
   */
  public static final class Unreachable extends HubException {
    private static final long serialVersionUID = 1;

    public Unreachable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Offline by wish ({@code HF_HUB_OFFLINE}) or by fate, and the cache has no whole copy. */
  public static final class NotCached extends HubException {
    private static final long serialVersionUID = 1;

    public NotCached(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** What arrived is not what was promised: wrong size or checksum. Nothing of it is kept. */
  public static final class Corrupt extends HubException {
    private static final long serialVersionUID = 1;

    public Corrupt(String message) {
      super(message, null);
    }
  }

  /** The disk has no room for the files. */
  public static final class DiskFull extends HubException {
    private static final long serialVersionUID = 1;

    public DiskFull(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Files could not be read, written or moved for another reason than room. */
  public static final class Storage extends HubException {
    private static final long serialVersionUID = 1;

    public Storage(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * The files are there, but they are no checkpoint that can be loaded: no config, no weights, a
   * missing shard.
   */
  public static final class Unusable extends HubException {
    private static final long serialVersionUID = 1;

    public Unusable(String message) {
      super(message, null);
    }
  }

  /** A program that is needed is missing or failed: Python or pip, for the default model. */
  public static final class ToolFailed extends HubException {
    private static final long serialVersionUID = 1;

    public ToolFailed(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The waiting thread was interrupted; its interrupt flag is set again. */
  public static final class Interrupted extends HubException {
    private static final long serialVersionUID = 1;

    public Interrupted(String message, Throwable cause) {
      super(message, cause);
      Thread.currentThread().interrupt();
    }
  }
}
