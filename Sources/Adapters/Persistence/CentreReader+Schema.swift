import GRDB

extension CentreReader {
    private struct SchemaObject: Hashable {
        var kind: String
        var name: String
        var table: String
        var sql: String?
    }

    /// What of the database is not what a centre makes: tables, indexes, triggers, views, applied
    /// migrations, and pages or indexes that SQLite itself finds wrong.
    ///
    /// - Throws: `PersistenceFailure`.
    public func schemaFindings() throws(PersistenceFailure) -> [String] {
        let expected = try PersistenceFailure.rethrowing("make a schema to compare with") {
            let queue = try DatabaseQueue()
            try CentreStore.migrator.migrate(queue)
            return try queue.read(Self.objects)
        }
        return try read("read the schema") { db in
            let found = try Self.objects(db)
            var findings: [String] = []
            for (name, object) in found.sorted(by: { $0.key < $1.key }) {
                guard let wanted = expected[name] else {
                    findings.append("schema: \(object.kind) '\(name)' does not belong there")
                    continue
                }
                if wanted != object {
                    findings.append("schema: \(object.kind) '\(name)' was changed")
                }
            }
            for (name, object) in expected.sorted(by: { $0.key < $1.key }) where found[name] == nil
            {
                findings.append("schema: \(object.kind) '\(name)' is missing")
            }
            let words = try String.fetchAll(db, sql: "PRAGMA integrity_check(10)")
            return findings + words.filter { $0 != "ok" }.map { "schema: SQLite finds: \($0)" }
        }
    }

    private static func objects(_ db: Database) throws -> [String: SchemaObject] {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT type, name, tbl_name, sql FROM sqlite_master"
                + " UNION ALL SELECT 'migration', identifier, 'grdb_migrations', NULL"
                + " FROM grdb_migrations"
        )
        var objects: [String: SchemaObject] = [:]
        for row in rows {
            let object = SchemaObject(kind: row[0], name: row[1], table: row[2], sql: row[3])
            objects[object.name] = object
        }
        return objects
    }
}
