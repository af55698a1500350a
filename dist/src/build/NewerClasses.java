import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * {@code java NewerClasses.java FROM.jar TO.jar}: a copy in which classes older than Java 6 have the
 * form of Java 8, with stack maps. The JVM checks such old ones by inference and leaves them out of its
 * ahead-of-time cache; picocli's, which every start needs, took half a second so.
 */
final class NewerClasses {

  private static final int OLDEST_WITH_STACK_MAPS = ClassFile.JAVA_6_VERSION;

  private NewerClasses() {}

  public static void main(String[] jars) throws IOException {
    var from = Path.of(jars[0]);
    var to = Path.of(jars[1]);
    Files.createDirectories(to.toAbsolutePath().getParent());
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    rewrite(to);
  }

  private static void rewrite(Path jar) throws IOException {
    var rewritten = 0;
    try (var own = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
        var files = FileSystems.newFileSystem(jar);
        var entries = Files.walk(files.getPath("/"))) {
      var classFile =
          ClassFile.of(
              ClassFile.ClassHierarchyResolverOption.of(
                  ClassHierarchyResolver.ofResourceParsing(own)
                      .orElse(ClassHierarchyResolver.defaultResolver())),
              ClassFile.ConstantPoolSharingOption.NEW_POOL);
      for (var entry : entries.filter(path -> path.toString().endsWith(".class")).toList()) {
        var model = classFile.parse(Files.readAllBytes(entry));
        if (model.majorVersion() < OLDEST_WITH_STACK_MAPS) {
          Files.write(entry, classFile.transformClass(model, newer()));
          rewritten++;
        }
      }
    }
    System.out.println(jar.getFileName() + ": " + rewritten + " classes rewritten");
  }

  private static ClassTransform newer() {
    ClassTransform version =
        (builder, element) -> {
          if (element instanceof ClassFileVersion) {
            builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
          } else {
            builder.with(element);
          }
        };
    return version.andThen(ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL));
  }
}
