internal import MemexModel

/// Numbers of the roles that chat messages have: 1 system, 2 user, 3 assistant, 4 tool, 5 developer,
/// 6 function, 0 any other.
enum RoleCode {
    static func of(_ role: ByteView) -> UInt8 {
        switch role.count {
        case 4: role.equals("user") ? 2 : role.equals("tool") ? 4 : 0
        case 6: role.equals("system") ? 1 : 0
        case 8: role.equals("function") ? 6 : 0
        case 9: role.equals("assistant") ? 3 : role.equals("developer") ? 5 : 0
        default: 0
        }
    }
}
