package dev.vllmmlx.gateway.pipeline;

import io.vertx.core.Future;

/** Where the events of a call go. Called on the request's event loop. */
interface Reply {

  /** A choice has its first event: its prompt was accepted. */
  void started(ChoiceState choice);

  /** A choice has more text, or has ended. */
  void advanced(ChoiceState choice);

  /**
   * All choices have ended as they should.
   *
   * @return completes when the connection has taken the last byte, fails when the client is gone
   */
  Future<Void> completed();

  /**
   * The call ends with an error; nothing follows.
   *
   * @return as {@link #completed}
   */
  Future<Void> failed(ApiError error);

  /** The client is gone; nothing can be sent. */
  void gone();
}
