"""Three objects that need each other, as a handler's dependencies do."""


class A:
    pass


class B:
    def __init__(self, a: A) -> None:
        self.a = a


class C:
    def __init__(self, a: A, b: B) -> None:
        self.a = a
        self.b = b
