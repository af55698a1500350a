package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import java.util.IdentityHashMap;
import java.util.Map;

/** Where the rows of a pass are, for all its layers: those that rotate alike share the angles. */
public final class SharedPlaces {

  /** Owns the angles: a model frees the rest of a layer when the next one begins. */
  private final Scope owner = Mlx.innermostScope();

  private final LayerOps.RowPlaces plain;
  private final Map<Rope, LayerOps.RowPlaces> rotated = new IdentityHashMap<>();

  /**
   * @param plain without angles; its arrays are of the innermost scope
   */
  public SharedPlaces(LayerOps.RowPlaces plain) {
    this.plain = plain;
  }

  /** With the angles of a layer's rope, which may have none. */
  public LayerOps.RowPlaces of(Rope rope) {
    return rotated.computeIfAbsent(rope, this::rotated);
  }

  private LayerOps.RowPlaces rotated(Rope rope) {
    var angles = LayerOps.ropeAngles(plain.positions(), rope.rotation());
    return new LayerOps.RowPlaces(
        plain.start(),
        plain.positions(),
        plain.sequences(),
        plain.tables(),
        angles == null ? null : owner.keep(angles));
  }
}
