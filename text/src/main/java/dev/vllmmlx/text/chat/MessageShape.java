package dev.vllmmlx.text.chat;

/**
 * The shape in which one template wants messages, as {@link TemplateProbe} finds it out. Templates
 * were written for Python code that builds messages by hand, each with its own idea of them.
 *
 * @param objectArguments whether a call's arguments are given as an object rather than as JSON text
 * @param noContent what stands for content that the client did not send
 * @param takesText whether content may be a string
 * @param takesParts whether content may be a list of parts
 * @param developerIsSystem whether {@code developer} messages are given as {@code system} ones, as
 *     the template would lose or refuse them
 * @param shortIds whether the id of a call must be nine letters and digits
 */
record MessageShape(
    boolean objectArguments,
    NoContent noContent,
    boolean takesText,
    boolean takesParts,
    boolean developerIsSystem,
    boolean shortIds) {

  enum NoContent {
    /** The key is left out. */
    ABSENT,
    NULL,
    EMPTY_TEXT
  }

  /** What most templates take. */
  static final MessageShape USUAL =
      new MessageShape(true, NoContent.ABSENT, true, false, false, false);

  MessageShape withArguments(boolean asObject) {
    return new MessageShape(
        asObject, noContent, takesText, takesParts, developerIsSystem, shortIds);
  }

  MessageShape withNoContent(NoContent how) {
    return new MessageShape(
        objectArguments, how, takesText, takesParts, developerIsSystem, shortIds);
  }

  MessageShape withContent(boolean text, boolean parts) {
    return new MessageShape(objectArguments, noContent, text, parts, developerIsSystem, shortIds);
  }

  MessageShape withDeveloperAsSystem(boolean asSystem) {
    return new MessageShape(objectArguments, noContent, takesText, takesParts, asSystem, shortIds);
  }

  MessageShape withShortIds(boolean shortIds) {
    return new MessageShape(
        objectArguments, noContent, takesText, takesParts, developerIsSystem, shortIds);
  }
}
