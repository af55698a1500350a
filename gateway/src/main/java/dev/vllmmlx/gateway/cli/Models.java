package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.hub.HubException;
import dev.vllmmlx.hub.ModelReference;

/** What the words of a command line say about a model. */
final class Models {
  private Models() {}

  /**
   * @param model as the user wrote it; null for the default model
   * @param revision of a model of the hub; null for the usual one
   */
  static ModelReference reference(String model, String revision) {
    var reference =
        model == null ? new ModelReference.EmbeddedDefault() : ModelReference.parse(model);
    if (revision == null) {
      return reference;
    }
    if (reference instanceof ModelReference.HubModel hubModel) {
      return hubModel.withRevision(revision);
    }
    throw new HubException.InvalidReference(
        "--revision is for models of the hub, and this one is not.");
  }
}
