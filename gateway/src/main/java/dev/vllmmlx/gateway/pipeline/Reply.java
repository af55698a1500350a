package dev.vllmmlx.gateway.pipeline;

/** Where the events of a call go. Called on the request's event loop. */
interface Reply {

  /** A choice has its first event: its prompt was accepted. */
  void started(ChoiceState choice);

  /** A choice has more text, or has ended. */
  void advanced(ChoiceState choice);

  /** All choices have ended as they should. */
  void completed();

  /** The call ends with an error; nothing follows. */
  void failed(ApiError error);
}
