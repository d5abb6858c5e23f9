internal import Domain

/// Names such as a list of passengers has: some often, most seldom.
enum Customers {
    private static let firstNames = [
        "Ada", "Grace", "Katherine", "Margaret", "Mary", "Dorothy", "Sally", "Valentina", "Mae",
        "Peggy", "Alan", "John", "Neil", "Buzz", "Yuri", "Scott", "Jim", "Fred", "Jack", "Gene",
    ]
    private static let heads = [
        "Love", "Hop", "John", "Hamil", "Jack", "Vaug", "Ri", "Teresh", "Jem", "Whit", "Shep",
        "Gle", "Arm", "Ald", "Gaga", "Carpen", "Lov", "Hai", "Swi", "Cer", "Col", "Bor", "Win",
        "Dun", "Kep",
    ]
    private static let middles = [
        "el", "ar", "in", "on", "er", "an", "ol", "et", "or", "il", "en", "as", "ur", "is", "om",
        "ad", "ev", "ik", "us", "ay",
    ]
    private static let tails = [
        "ace", "per", "son", "ton", "ham", "de", "kova", "ison", "ard", "nn", "strong", "rin",
        "ter", "ll", "se", "gert", "nan", "lins", "man", "ler",
    ]
    /// Last names that there are.
    static let lastNameCount = heads.count * middles.count * tails.count

    /// The same one for the same number.
    static func contact(_ number: Int) -> Contact {
        let (first, last) = (firstName(number), lastName(number))
        return Contact(
            firstName: first, lastName: last,
            email: "\(first).\(last)\(number)@example.org".lowercased(),
            phone: "+1 321 \(1_000_000 + number % 9_000_000)", address: nil, specialRequests: nil)
    }

    static func firstName(_ number: Int) -> String {
        firstNames[number % firstNames.count]
    }

    static func lastName(_ number: Int) -> String {
        let mixed = number &* 7919 % lastNameCount
        let (head, rest) = (mixed % heads.count, mixed / heads.count)
        return heads[head] + middles[rest % middles.count] + tails[rest / middles.count]
    }
}
